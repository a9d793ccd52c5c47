"""An OpenSearch node from the distribution that its makers publish for integration tests, and a way to start it."""

import hashlib
import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.stack.java import find_java
from tests.stack.recipe import CannotHaveError, run

JAVA: Final = 21  # OpenSearch 3 asks for it

_PLUGIN: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
_MAIN: Final = Path(__file__).with_name("OneNode.java")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSearch:
    """The node with all its own modules, without plugins.

    checksum: SHA-256 of the archive. main: what starts a node, so that a change of it gets the server anew.
    """

    version: str
    checksum: str
    main: str = field(default_factory=lambda: _MAIN.read_text("utf-8"))

    def make(self, folder: Path, work: Path) -> None:
        """Unpack the distribution into `home`, and compile what starts it into `classes`.

        Raises:
            CannotHaveError: there is no Maven or no new Java, or the archive is not served or not the pinned one.

        """
        java = find_java(JAVA)
        self._unpack(self._archive(work), folder / "home")
        classpath = f"{folder / 'home' / 'lib'}/*"
        run([java / "bin" / "javac", "-cp", classpath, "-d", folder / "classes", _MAIN], folder=work)

    def _archive(self, work: Path) -> Path:
        maven = shutil.which("mvn")
        if maven is None:
            raise CannotHaveError("there is no `mvn` command (Maven 3 gets the archive)")
        artifact = f"org.opensearch.distribution.integ-test-zip:opensearch:{self.version}:zip"
        run([maven, "-q", "-B", f"{_PLUGIN}:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={work}"], folder=work)
        archive = work / f"opensearch-{self.version}.zip"
        checksum = hashlib.sha256(archive.read_bytes()).hexdigest()
        if checksum != self.checksum:
            raise CannotHaveError(f"the archive of OpenSearch {self.version} is {checksum}, not {self.checksum}")
        return archive

    def _unpack(self, archive: Path, home: Path) -> None:
        with zipfile.ZipFile(archive) as content:
            content.extractall(home.parent)
        (home.parent / f"opensearch-{self.version}").rename(home)
