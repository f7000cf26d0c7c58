"""The game of lesson 00: pieces of photographs, and the widget that asks for their names."""

import numpy as np
import pytest

from transfer_lib import images, plots
from transfer_lib.data import pieces


@pytest.fixture(scope="module")
def game():
    return pieces.load()


def places(photo, piece):
    """Return the left edges of all places of a photograph that show this piece."""
    size = pieces.SIZE
    corners = np.argwhere((photo[: -size + 1, : -size + 1] == piece[0, 0]).all(-1))
    return [x for y, x in corners if np.array_equal(photo[y : y + size, x : x + size], piece)]


def test_pieces_to_test_on_come_from_the_other_half(game):
    for label, photo in enumerate(pieces.photographs().values()):
        border = (photo.shape[1] - pieces.GAP) // 2
        rows = np.flatnonzero(game.y_train == label)[:3]
        for row in rows:
            assert all(x + pieces.SIZE <= border for x in places(photo, game.x_train[row]))
            assert all(x >= border + pieces.GAP for x in places(photo, game.x_test[row]))
            assert places(photo, game.x_train[row]) and places(photo, game.x_test[row])


def test_the_pieces_are_always_the_same(game):
    again = pieces.load()
    for name in ("x_train", "x_test", "y_train", "y_test"):
        assert np.array_equal(getattr(game, name), getattr(again, name))
    assert game.x_train.shape == game.x_test.shape == (250, 64, 64, 3)
    assert np.bincount(game.y_test).tolist() == [25] * 10
    assert game.x_train.std(axis=(1, 2)).max(axis=1).min() >= pieces.FLAT


def test_a_missing_photograph_is_named(monkeypatch):
    monkeypatch.setitem(pieces.PHOTOS, "cat", ("skimage", "data/gone.png"))
    with pytest.raises(Exception, match="gone.png is missing.*Reinstall skimage"):
        pieces.photographs()


def test_the_guessing_game_counts_and_ends():
    images = np.zeros((3, 8, 8, 3), "uint8")
    game = plots.guess(images, np.array([0, 1, 1]), ("cat <b>", "dog"))
    assert game.score is None and "Picture 1 of 3" in game.picture.value
    game.buttons[0].click()
    assert "Right: picture 1 is cat &lt;b&gt;." in game.message.value
    game.buttons[0].click()
    assert "No, not cat &lt;b&gt;: picture 2 is dog." in game.message.value
    game.answer(1)
    assert game.score == pytest.approx(2 / 3) and "You named 2 of 3." in game.message.value
    assert all(button.disabled for button in game.buttons)
    game.answer(1)  # after the end nothing counts
    assert game.answers == [0, 0, 1]


def test_written_pieces_are_read_again_in_their_own_split(tmp_path):
    pieces.write(tmp_path)
    own, split = images.read_folder(tmp_path, size=pieces.SIZE), pieces.load()
    assert own.class_names == tuple(sorted(split.class_names))
    for part in ("train", "test"):
        x, y = getattr(split, f"x_{part}"), getattr(split, f"y_{part}")
        files = getattr(own, f"files_{part}")
        numbers = [int(file.split("/")[2].removesuffix(".png")) for file in files]
        assert sorted(numbers) == list(range(250))
        np.testing.assert_array_equal(getattr(own, f"x_{part}"), x[numbers])
        names = [own.class_names[k] for k in getattr(own, f"y_{part}")]
        assert names == [split.class_names[k] for k in y[numbers]]
