"""The set-up cell: profile, backend, seed; and an import that loads nothing heavy."""

import os
import subprocess
import sys

import pytest

import transfer_lib


def python(code, **env):
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | env,
        capture_output=True,
        text=True,
    )
    return run.stdout.strip(), run.stderr


def test_import_loads_nothing_heavy():
    heavy = "'keras', 'torch', 'matplotlib', 'sklearn', 'scipy', 'numpy', 'IPython', 'pooch'"
    out, err = python(
        f"import sys, transfer_lib; print([m for m in ({heavy},) if m in sys.modules])"
    )
    assert out == "[]", err


def test_setup_prints_three_lines_and_chooses_torch():
    out, err = python(
        "import os, transfer_lib as t; c = t.setup('03'); import sys;"
        "print('keras' in sys.modules, c.backend, c.quick, c.seed, os.environ['KERAS_BACKEND'])"
    )
    lines = out.splitlines()
    assert len(lines) == 4, out + err
    assert lines[0].startswith("Lesson 03, quick profile") and "no network" in lines[0]
    assert lines[3] == "False torch True 0 torch"


def test_waiting_threads_sleep_unless_the_user_says_otherwise(monkeypatch):
    code = "import os, transfer_lib; transfer_lib.setup('03'); print(os.environ['OMP_WAIT_POLICY'])"
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert python(code)[0].endswith("PASSIVE")
    assert python(code, OMP_WAIT_POLICY="ACTIVE")[0].endswith("ACTIVE")


def test_small_networks_get_one_thread_unless_the_user_says_otherwise(monkeypatch):
    code = (
        "import transfer_lib; transfer_lib.setup({}); import torch; print(torch.get_num_threads())"
    )
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert python(code.format("'03'"))[0].endswith("\n1")
    assert python(code.format("'03'"), OMP_NUM_THREADS="2")[0].endswith("\n2")
    if (os.cpu_count() or 1) > 1:
        assert not python(code.format("'03', profile='full'"))[0].endswith("\n1")


def test_the_users_backend_wins():
    code = "import transfer_lib; print(transfer_lib.setup('03').backend)"
    out, err = python(code, KERAS_BACKEND="jax")
    try:
        import jax  # noqa: F401
    except ImportError:
        assert "jax is not installed" in err and "unset it for torch" in err
    else:
        assert out.endswith("jax")
    assert "KERAS_BACKEND is 'theano'" in python(code, KERAS_BACKEND="theano")[1]


def test_keras_imported_too_early_is_told():
    out, err = python(
        "import os; os.environ['KERAS_BACKEND'] = 'torch'; import keras;"
        "os.environ['KERAS_BACKEND'] = 'jax'; import transfer_lib; transfer_lib.setup('03')"
    )
    assert "Warning: Keras was imported earlier and runs on torch, not on jax" in out, err


def test_profile_and_seed(monkeypatch, capsys):
    assert transfer_lib.setup("00", profile="full", seed=3).profile == "full"
    monkeypatch.setenv("TRANSFER_LIB_PROFILE", "full")
    monkeypatch.setenv("TRANSFER_LIB_SEED", "7")
    course = transfer_lib.setup("00")
    assert (course.profile, course.quick, course.seed) == ("full", False, 7)
    assert "Seed 7." in capsys.readouterr().out


def test_a_gpu_makes_full_the_default(monkeypatch):
    from transfer_lib import session

    monkeypatch.delenv("TRANSFER_LIB_PROFILE")
    for device, profile in (("NVIDIA GPU (X)", "full"), ("Apple GPU", "quick"), ("CPU", "quick")):
        monkeypatch.setattr(session, "_describe", lambda _, d=device: ("Keras", d))
        assert session.setup("03").profile == profile


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TRANSFER_LIB_PROFILE", "fast", "'quick' or 'full'"),
        ("TRANSFER_LIB_SEED", "-1", "whole number"),
        ("TRANSFER_LIB_SEED", "x", "whole number"),
        ("TRANSFER_LIB_DATA", "/no/such/folder", "not a folder"),
    ],
)
def test_wrong_settings_are_told(monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=words) as error:
        transfer_lib.setup("00")
    assert name in str(error.value)


def test_wrong_arguments_are_told():
    with pytest.raises(ValueError, match="'quick' or 'full'"):
        transfer_lib.setup("00", profile="fast")
    with pytest.raises(KeyError, match="there is no lesson '77'"):
        transfer_lib.setup("77")


def test_chinese_terms_stand_behind_a_switch(capsys):
    from transfer_lib import session

    session.setup("02", terms="zh")
    told = capsys.readouterr().out
    assert "Terms of lesson 02" in told and "cross-entropy" in told and "交叉熵" in told
    session.setup("02")
    assert "交叉熵" not in capsys.readouterr().out
    with pytest.raises(ValueError, match="terms is 'fr'"):
        session.setup("02", terms="fr")
