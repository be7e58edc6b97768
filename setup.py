"""What setup.cfg cannot say: the list of packages, and that a wheel needs the built browser client."""

from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.errors import SetupError

# Beside chat/ in a checkout and inside it in a wheel; setup.cfg says where they come from.
FROM_BESIDE = ["chat.migrations", "chat.migrations.versions", "chat.templates"]


class BuildWithClient(build_py):
    """Copy the package into the wheel, built browser client included."""

    def run(self) -> None:
        if not self.editable_mode and not Path("chat/static/manifest.json").is_file():
            raise SetupError("chat/static/ holds no built browser client; `make wheel` builds it first")
        super().run()


setup(
    packages=[*find_packages(include=["chat", "chat.*"]), *FROM_BESIDE],
    cmdclass={"build_py": BuildWithClient},
)
