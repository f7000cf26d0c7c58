"""The review corpus keeps its promises: counts, balance, length, no duplicates, no template."""

import csv
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from transfer_lib.data import reviews

PATH = Path(__file__).parents[1] / "transfer_lib" / "data" / "files" / "reviews.csv"
COLUMNS = ["id", "domain", "split", "label", "text"]
DOMAINS = ("films", "devices")
SPLITS = {"train": 0.60, "validation": 0.15, "test": 0.25}
LABELS = ("positive", "negative")


@pytest.fixture(scope="module")
def rows():
    with PATH.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def tokens(text):
    """Lower-case words and numbers of a text, punctuation dropped."""
    return re.findall(r"[a-z0-9']+", text.lower())


def jaccard(texts):
    """Token Jaccard similarity of every pair: array (n, n), zeros on the diagonal."""
    from sklearn.feature_extraction.text import CountVectorizer

    counts = CountVectorizer(tokenizer=tokens, token_pattern=None, binary=True)
    bags = counts.fit_transform(texts).astype(np.int64)
    shared = (bags @ bags.T).toarray()
    size = shared.diagonal()
    result = shared / (size[:, None] + size[None, :] - shared)
    np.fill_diagonal(result, 0.0)
    return result


def character_cosine(texts):
    """Cosine of character 3-5-gram TF-IDF of every pair: array (n, n), zero diagonal."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True
    ).fit_transform(texts)
    result = (vectors @ vectors.T).toarray()
    np.fill_diagonal(result, 0.0)
    return result


def too_common_ngrams(texts, n=5, limit=6):
    """Word n-grams that occur in more than `limit` texts."""
    found = Counter()
    for words in map(tokens, texts):
        found.update({tuple(words[i : i + n]) for i in range(len(words) - n + 1)})
    return [gram for gram, count in found.items() if count > limit]


def too_common_openings(texts, words=3, share=0.02):
    """First `words` words shared by more than `share` of the texts."""
    found = Counter(tuple(tokens(text)[:words]) for text in texts)
    return [opening for opening, count in found.items() if count > share * len(texts)]


def test_the_file_is_plain_utf8_csv():
    raw = PATH.read_bytes()
    assert not raw.startswith(b"\xef\xbb\xbf"), "no byte order mark"
    assert b"\r" not in raw, "lines end with a line feed alone"
    assert raw.endswith(b"\n")
    with PATH.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file, strict=True))
    assert lines[0] == COLUMNS
    assert all(len(line) == len(COLUMNS) for line in lines)
    assert len(lines) == raw.count(b"\n"), "no text holds a line break"


def test_pandas_reads_the_same_rows(rows):
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(PATH)
    assert list(frame.columns) == COLUMNS
    assert frame["text"].tolist() == [row["text"] for row in rows]


def test_size_and_values(rows):
    assert len(rows) >= 880
    assert {row["domain"] for row in rows} == set(DOMAINS)
    assert {row["split"] for row in rows} == set(SPLITS)
    assert {row["label"] for row in rows} == set(LABELS)
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(ids)
    for row in rows:
        assert re.fullmatch(row["domain"][:-1] + r"-\d{3}", row["id"]), row["id"]


@pytest.mark.parametrize("domain", DOMAINS)
def test_balance_of_classes_and_splits(rows, domain):
    count = Counter((row["split"], row["label"]) for row in rows if row["domain"] == domain)
    total = sum(count.values())
    assert total >= 440
    for split, share in SPLITS.items():
        positive, negative = count[split, "positive"], count[split, "negative"]
        assert abs(positive - negative) <= 1, (domain, split, positive, negative)
        assert (positive + negative) / total == pytest.approx(share, abs=0.02)


def test_length_and_cleanliness(rows):
    for row in rows:
        text = row["text"]
        assert 8 <= len(text.split()) <= 45, row["id"]
        assert text == " ".join(text.split()), row["id"]
        assert text[-1] in ".!?\"'", row["id"]
        assert text[0].isupper() or text[0] == '"', row["id"]
        assert not re.search(r"[<>{}_\\|@#]|https?:|\s[,.;:!?]", text), row["id"]


def test_length_and_punctuation_do_not_give_the_label_away(rows):
    for domain in DOMAINS:
        words = {
            label: np.mean(
                [
                    len(row["text"].split())
                    for row in rows
                    if (row["domain"], row["label"]) == (domain, label)
                ]
            )
            for label in LABELS
        }
        assert abs(words["positive"] - words["negative"]) < 2.5, words


def test_no_near_duplicates(rows):
    texts = [row["text"] for row in rows]
    split = np.array([row["split"] for row in rows])
    across = split[:, None] != split[None, :]
    assert len({" ".join(tokens(text)) for text in texts}) == len(texts)
    for name, values, anywhere, over_splits in (
        ("token Jaccard", jaccard(texts), 0.50, 0.40),
        ("character TF-IDF cosine", character_cosine(texts), 0.55, 0.42),
    ):
        for limit, mask in ((anywhere, np.ones_like(across)), (over_splits, across)):
            i, j = np.unravel_index(np.argmax(values * mask), values.shape)
            assert values[i, j] < limit, f"{name} {values[i, j]:.2f}: {texts[i]} / {texts[j]}"


def test_the_duplicate_measures_do_find_a_near_duplicate():
    first = "The kettle boils fast, pours well and has never leaked on my kitchen table."
    second = "This kettle boils fast, pours well and never leaked on my kitchen table."
    assert jaccard([first, second])[0, 1] > 0.50
    assert character_cosine([first, second])[0, 1] > 0.55


def test_no_template_shows(rows):
    texts = [row["text"] for row in rows]
    assert too_common_ngrams(texts) == []
    assert too_common_openings(texts) == []


def test_the_template_measures_do_find_a_template():
    texts = [f"I bought the {thing} and I love it very much." for thing in "abcdefgh"]
    assert too_common_ngrams(texts)
    assert too_common_openings(texts)


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("strength", [1.0, 10.0, 100.0])
def test_counting_words_is_not_enough(rows, domain, strength):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    def part(split):
        chosen = [row for row in rows if (row["domain"], row["split"]) == (domain, split)]
        return [row["text"] for row in chosen], [row["label"] for row in chosen]

    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=strength, max_iter=2000)
    )
    model.fit(*part("train"))
    assert model.score(*part("train")) > 0.9, "the baseline has learnt its training texts"
    assert model.score(*part("test")) < 0.80


def test_reviews_and_their_parts():
    frame = reviews.load()
    assert list(frame.columns) == ["domain", "split", "label", "text"] and len(frame) == 944
    train, validation, test = reviews.parts(frame)
    assert [len(train), len(validation), len(test)] == [568, 140, 236]
    rows = reviews.draw(frame["label"].to_numpy(), train, 7, np.random.default_rng(0))
    assert set(rows) <= set(train) and len(set(rows)) == 14
    assert frame["label"].iloc[rows].tolist() == [0] * 7 + [1] * 7


def test_the_treebank_takes_the_place_of_the_films(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LIB_DATA", str(tmp_path))
    for name, count in (("train", 2600), ("dev", 400), ("test", 50)):
        lines = [f"{name} sentence {i},{i % 2}" for i in range(count)]
        (tmp_path / f"sst2_{name}.csv").write_text("\n".join(["text,label", *lines]))
    frame = reviews.load(full=True)
    films = frame[frame["domain"] == "films"]
    assert films["split"].value_counts().to_dict() == {
        "train": 2500,
        "validation": 300,
        "test": 50,
    }
    assert films.loc[films["split"] == "test", "text"].str.startswith("test").all()
    assert (frame["domain"] == "devices").sum() == 472 and set(frame["label"]) == {0, 1}
    assert frame.index.is_unique
