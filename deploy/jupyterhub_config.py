"""JupyterHub for the course on one machine: a room of some thirty learners.

Each learner chooses a name and, at the first login, a password. The notebooks are copied into the
learner's home once and never overwritten; home, progress and passwords lie below COURSE_STATE, so a
restart or a new image loses nothing. As root, as in the image, each learner is a system user of
their own (``learner-NAME``) and cannot read the others' files; otherwise all run as the one user
that started the hub, which is for trying it out.

Whoever takes a name first has it: log in with each name of COURSE_ADMINS before you give the
address to anyone.

Settings, by environment variable:

COURSE_STATE        where homes, passwords and the hub's database lie (/srv/course)
COURSE_DIR          the course (the folder above this file)
COURSE_MEMORY       what one kernel may allocate, in MiB (3000); more is a MemoryError in the cell
COURSE_IDLE         seconds after which an idle learner's server is stopped (3600)
COURSE_SERVERS      how many learners may work at once (40)
COURSE_ADMINS       names, separated by commas, that may stop servers and reset passwords
COURSE_LEARNERS     names, separated by commas, that may log in; without it, anyone who reaches it
COURSE_REPOSITORY   a git address: notebooks are pulled from it by nbgitpuller instead of copied
COURSE_ADDRESS      where it listens (http://:8000)
COURSE_CERTIFICATE, COURSE_KEY   files for https; without them put it behind a proxy that has it
"""

import os
import pwd
import resource
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from firstuseauthenticator import FirstUseAuthenticator
from jupyterhub.spawner import LocalProcessSpawner, set_user_setuid

c = get_config()  # noqa: F821
setting = os.environ.get
STATE = Path(setting("COURSE_STATE", "/srv/course"))
COURSE = Path(setting("COURSE_DIR", Path(__file__).resolve().parent.parent))
MEMORY = int(setting("COURSE_MEMORY", 3000)) * 2**20
IDLE = int(setting("COURSE_IDLE", 3600))
REPOSITORY = setting("COURSE_REPOSITORY")
ROOT = os.geteuid() == 0
FIRST = "lab/tree/lessons/00_first_transfer.ipynb"


def names(variable):
    return {name.strip().lower() for name in setting(variable, "").split(",") if name.strip()}


class LearnerSpawner(LocalProcessSpawner):
    """A learner's server: a process with a home, an account and a limit of memory of its own."""

    @property
    def account(self):
        return f"learner-{self.user.name}"  # never the name of an account that exists

    @property
    def home(self):
        return STATE / "homes" / self.user.name

    def make_preexec_fn(self, name):
        become = set_user_setuid(self.account, chdir=False) if ROOT else lambda: None

        def before_start():
            resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
            become()
            os.chdir(self.home)

        return before_start

    def user_env(self, env):
        # Nothing of the hub's own settings, and none of its folders, reaches a learner.
        kept = {name: value for name, value in env.items() if not name.startswith("COURSE_")}
        kept.pop("TRANSFER_LIB_HOME", None)
        kept["JUPYTER_RUNTIME_DIR"] = str(self.home / ".run")  # names of sockets must be short
        return kept | {"USER": self.user.name, "HOME": str(self.home), "SHELL": "/bin/bash"}


COPY = """
import pathlib, shutil, sys
source, target = map(pathlib.Path, sys.argv[1:])
target.mkdir(exist_ok=True)
for path in source.iterdir():
    if path.is_file() and not (target / path.name).exists():
        shutil.copyfile(path, target / path.name)
"""


def account_of(spawner):
    """Return the learner's account, made if it is not there; its home belongs to it."""
    home = spawner.home.stat()
    try:
        owner = pwd.getpwnam(spawner.account)
    except KeyError:  # a new learner; or a new image, where the home still knows its number
        taken = any(one.pw_uid == home.st_uid for one in pwd.getpwall())
        number = [] if taken or home.st_uid < 1000 else ["--uid", str(home.st_uid)]
        command = ["useradd", "--no-create-home", "--home-dir", spawner.home, *number]
        subprocess.run([*command, spawner.account], check=True)
        owner = pwd.getpwnam(spawner.account)
    if home.st_uid != owner.pw_uid:  # links are not followed
        subprocess.run(["chown", "-R", f"{owner.pw_uid}:{owner.pw_gid}", spawner.home], check=True)
    return owner


def prepare(spawner):
    """Make the learner's account and home, and put the notebooks there that are not there yet."""
    spawner.home.mkdir(parents=True, exist_ok=True)
    become = {}
    if ROOT:
        owner = account_of(spawner)
        become = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    spawner.home.chmod(0o700)
    if not REPOSITORY:  # as the learner, who may have put links there
        command = [sys.executable, "-c", COPY, COURSE / "lessons", spawner.home / "lessons"]
        subprocess.run(command, **become)  # if it fails, the server starts all the same


os.umask(0o077)  # the database, and whatever learners write, are nobody else's to read
for folder in (STATE, STATE / "homes"):
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)

c.JupyterHub.bind_url = setting("COURSE_ADDRESS", "http://:8000")
c.JupyterHub.ssl_cert, c.JupyterHub.ssl_key = (
    setting(f"COURSE_{what}", "") for what in ("CERTIFICATE", "KEY")
)
c.JupyterHub.db_url = f"sqlite:///{STATE}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")
c.JupyterHub.active_server_limit = int(setting("COURSE_SERVERS", 40))
c.JupyterHub.concurrent_spawn_limit = 0  # a room logs in at once: all wait, none is refused

c.JupyterHub.authenticator_class = FirstUseAuthenticator
c.FirstUseAuthenticator.dbm_path = str(STATE / "passwords.dbm")
c.Authenticator.username_pattern = "[a-z][a-z0-9_-]{0,20}"
c.Authenticator.admin_users = names("COURSE_ADMINS")
c.Authenticator.allowed_users = names("COURSE_LEARNERS")
c.Authenticator.allow_all = not names("COURSE_LEARNERS")

c.JupyterHub.spawner_class = LearnerSpawner
c.Spawner.pre_spawn_hook = prepare
c.Spawner.http_timeout = 300
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.start_timeout = 300
c.Spawner.default_url = (
    f"/git-pull?repo={quote(REPOSITORY, safe='')}&targetPath=course&urlpath=lab/tree/course/lessons"
    if REPOSITORY
    else f"/{FIRST}"
)
c.Spawner.args = [
    # Sockets in the learner's home: twenty servers that start kernels at once can take one port.
    "--KernelManager.transport=ipc",
    f"--MappingKernelManager.cull_idle_timeout={IDLE}",
    "--MappingKernelManager.cull_interval=60",
    "--ServerApp.tornado_settings={'websocket_max_message_size': 100_000_000}",
]

c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={IDLE}"],
    }
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
]
