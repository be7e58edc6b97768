"""Refuses to build a wheel that would lack the browser client. All else about the package is in setup.cfg."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.errors import SetupError


class BuildWithClient(build_py):
    """Copy the package into the wheel, built browser client included."""

    def run(self) -> None:
        if not self.editable_mode and not Path("chat/static/manifest.json").is_file():
            raise SetupError("chat/static/ holds no built browser client; `make wheel` builds it first")
        super().run()


setup(cmdclass={"build_py": BuildWithClient})
