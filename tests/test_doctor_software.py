"""The doctor on software: Python, packages, Keras, the front end and its widgets."""

import importlib.metadata
import sys
import types

import pytest
from doctor_findings import FAILED, OK, SKIPPED, WARNING, only

from transfer_lib.doctor import software

pytestmark = pytest.mark.usefixtures("bare_machine")


# Python and packages


@pytest.mark.parametrize(
    ("version", "status"),
    [((3, 10, 9), FAILED), ((3, 11, 0), OK), ((3, 13, 5), OK), ((3, 14, 0), WARNING)],
)
def test_python_version(monkeypatch, version, status):
    monkeypatch.setattr(sys, "version_info", version)
    finding = only(software.check_python(), status)
    assert ".".join(map(str, version)) in finding.message
    assert "3.11 to 3.13" in finding.message


@pytest.fixture
def required(monkeypatch):
    """The course needs numpy>=2.0,<3; its extra lab jupyterlab>=4.2; its extra dev pytest>=8."""
    lines = [
        "numpy>=2.0,<3",
        'jupyterlab>=4.2; extra == "lab"',
        'transfer-lib[lab]; extra == "dev"',
        'pytest>=8; extra == "dev"',
    ]
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: lines)
    monkeypatch.setattr(software, "tested_versions", lambda: {"numpy": "2.4.1"})


def test_package_as_tested(installed, required):
    installed["numpy"] = "2.4.1+local"
    assert only(software.check_packages(), OK).message == "2.4.1+local, as tested"


@pytest.mark.parametrize("version", ["2.1.3", "2.5.0rc1", "2.9"])
def test_package_in_range_but_not_the_tested_one(installed, required, version):
    installed["numpy"] = version
    finding = only(software.check_packages(), OK)
    assert finding.message == f"{version} (tested with 2.4.1)"


@pytest.mark.parametrize("version", ["1.26.4", "3.0", "not a version", None])
def test_package_out_of_range_or_missing(installed, required, version):
    if version:
        installed["numpy"] = version
    finding = only(software.check_packages(), FAILED)
    assert finding.name == "package numpy"
    assert f'{sys.executable} -m pip install "numpy==2.4.1"' in finding.fix


def test_package_fix_on_colab_asks_for_the_range_in_a_cell(installed, required, monkeypatch):
    installed["numpy"] = "1.26.4"
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    fix = only(software.check_packages(), FAILED).fix
    assert '%pip install "numpy<3,>=2.0"' in fix
    assert "restart the kernel" in fix


def test_package_of_an_extra_matters_only_when_it_is_there(installed, required):
    installed.update(numpy="2.4.1", pytest="1.0")
    assert len(list(software.check_packages())) == 1
    installed["jupyterlab"] = "3.6"
    numpy, lab = software.check_packages()
    assert (numpy.status, lab.status) == (OK, WARNING)
    assert '"jupyterlab>=4.2"' in lab.fix


def test_packages_of_a_folder_that_is_not_installed(monkeypatch):
    def requires(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", requires)
    assert "pip install -e" in only(software.check_packages(), SKIPPED).fix


def test_tested_versions_are_read_or_absent(monkeypatch, tmp_path):
    monkeypatch.setattr(software.resources, "files", lambda package: tmp_path)
    assert software.tested_versions() == {}
    (tmp_path / "tested_versions.txt").write_text(
        "# comment\n--extra-index-url x\nscikit_learn==1.9.0  # why\n"
        'old==1 ; python_version < "3"\nfree>=1\n'
    )
    assert software.tested_versions() == {"scikit-learn": "1.9.0"}


# Keras


def test_backend_defaults_to_torch(installed):
    installed["torch"] = "2.13.0"
    assert only(software.check_backend(), OK).message == "torch 2.13.0 (the course's default)"


def test_backend_of_the_variable(installed, monkeypatch):
    installed["jax"] = "0.9"
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert "from KERAS_BACKEND" in only(software.check_backend(), OK).message


def test_backend_not_installed(installed, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    fix = only(software.check_backend(), FAILED).fix
    assert 'pip install "jax"' in fix
    assert "unset KERAS_BACKEND" in fix


@pytest.mark.parametrize("backend", ["pytorch", "Torch", "", "theano"])
def test_backend_unknown(installed, monkeypatch, backend):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    finding = only(software.check_backend(), FAILED)
    assert repr(backend) in finding.message
    assert "torch, jax, tensorflow" in finding.fix


def test_backend_that_keras_already_runs_on(installed, monkeypatch):
    installed["torch"] = "2.13.0"
    keras = types.SimpleNamespace(backend=types.SimpleNamespace(backend=lambda: "jax"))
    monkeypatch.setitem(sys.modules, "keras", keras)
    assert "Restart the kernel" in only(software.check_backend(), WARNING).fix


@pytest.mark.parametrize(
    ("content", "status", "word"),
    [
        (None, OK, "no keras.json"),
        # Keras itself writes "tensorflow" on its first import, whatever runs.
        ('{"backend": "tensorflow", "floatx": "float32", "epsilon": 1e-07}', OK, "fits"),
        ("{not json", WARNING, "cannot be read"),
        ("[]", FAILED, "no JSON object"),
        ('{"backend": "thean"}', WARNING, "'thean'"),
        ('{"floatx": "float16"}', WARNING, "float16"),
        ('{"floatx": "double"}', FAILED, "'double'"),
        ('{"image_data_format": "channels_first"}', WARNING, "channels_first"),
        ('{"image_data_format": ["x"]}', FAILED, "['x']"),
        ('{"epsilon": 1}', FAILED, "epsilon"),
    ],
)
def test_keras_settings(tmp_path, content, status, word):
    if content is not None:
        (tmp_path / "keras").mkdir()
        (tmp_path / "keras" / "keras.json").write_text(content)
    assert word in only(software.check_keras_settings(), status).message


# Front end and widgets


def shell(monkeypatch, kernel=True, **user_ns):
    """Let this process look like an IPython shell."""
    fake = types.SimpleNamespace(kernel=object() if kernel else None, user_ns=user_ns)
    module = types.SimpleNamespace(get_ipython=lambda: fake)
    monkeypatch.setitem(sys.modules, "IPython", module)


def test_front_end(monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert software.front_end() is software.FrontEnd.TERMINAL
    shell(monkeypatch, kernel=False)
    assert software.front_end() is software.FrontEnd.IPYTHON
    shell(monkeypatch)
    assert software.front_end() is software.FrontEnd.JUPYTER
    monkeypatch.setenv("VSCODE_PID", "1")
    assert software.front_end() is software.FrontEnd.VSCODE
    monkeypatch.setenv("JPY_SESSION_NAME", "00.ipynb")  # JupyterLab from VS Code's terminal
    assert software.front_end() is software.FrontEnd.JUPYTER
    shell(monkeypatch, __vsc_ipynb_file__="00.ipynb")
    assert software.front_end() is software.FrontEnd.VSCODE
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    assert software.front_end() is software.FrontEnd.COLAB
    assert only(software.check_front_end(), OK).message == "Google Colab"


@pytest.mark.parametrize(
    ("ipywidgets", "lab", "notebook", "status"),
    [
        ("8.1.9", "3.0.17", "4.0.16", OK),
        ("7.8.1", "1.1.7", "3.6.6", OK),
        ("8.1.9", "1.1.7", "4.0.16", FAILED),
        ("7.7.1", "3.0.16", "3.6.10", FAILED),
        ("8.1.9", None, "4.0.16", FAILED),
        ("9.0", "4.0", "5.0", WARNING),
    ],
)
def test_widgets(installed, ipywidgets, lab, notebook, status):
    installed.update(ipywidgets=ipywidgets, widgetsnbextension=notebook, jupyterlab="4.6")
    if lab:
        installed["jupyterlab_widgets"] = lab
    finding = only(software.check_widgets(), status)
    if status is FAILED:
        wanted = '"ipywidgets==8.*" "jupyterlab_widgets==3.*" "widgetsnbextension==4.*"'
        assert f"pip install {wanted}" in finding.fix


def test_widgets_of_colab_and_of_a_server_elsewhere(installed, monkeypatch):
    assert "ipywidgets" in only(software.check_widgets(), FAILED).fix
    installed["ipywidgets"] = "8.1.9"
    only(software.check_widgets(), OK)  # no JupyterLab here: the server brings the manager
    installed.update(ipywidgets="7.7.1", jupyterlab_widgets="3.0.16", jupyterlab="4.6")
    only(software.check_widgets(), FAILED)
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab")
    assert "Colab" in only(software.check_widgets(), OK).message
