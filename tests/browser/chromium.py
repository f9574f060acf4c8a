"""A headless Chromium: where it is, how it is started, and how it is ended with its children."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.browser.devtools import DevTools, DevToolsError
from tests.browser.page import Page

NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",  # it cannot be had by root or in many containers, and all pages are our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-breakpad",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    # Nothing may leave this machine.
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


class NoChromiumError(Exception):
    """There is no Chromium that could be used; the text says why, and what to do."""


def find_chromium(environ: Mapping[str, str]) -> str:
    """Return the path of a Chromium; raises NoChromiumError."""
    path = environ.get("PATH", os.defpath)
    if named := environ.get("CHROMIUM"):
        if found := shutil.which(named, path=path):
            return found
        raise NoChromiumError(f"CHROMIUM={named} is no program")
    for name in NAMES:
        if found := shutil.which(name, path=path):
            return found
    raise NoChromiumError("there is no Chromium on the PATH")


class Chromium:
    """A browser in a process of its own, with a profile in `folder`."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._errors = folder / "stderr.txt"
        self._profile = folder / "profile"

    def __enter__(self) -> Self:
        commands, to_browser = os.pipe()
        from_browser, answers = os.pipe()
        with self._errors.open("w") as errors:
            # The browser reads commands from descriptor 3 and answers on 4.
            self._process = subprocess.Popen(
                [
                    *("bash", "-c", f'exec "$@" 3<&{commands} 4>&{answers}', "chromium"),
                    *(self._program, *FLAGS, f"--user-data-dir={self._profile}"),
                ],
                pass_fds=(commands, answers),
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )
        os.close(commands)
        os.close(answers)
        self._pipes = to_browser, from_browser
        self.devtools = DevTools(to_browser=to_browser, from_browser=from_browser)
        try:
            self.devtools.call("Browser.getVersion")
        except (DevToolsError, OSError) as error:
            self.__exit__(None, None, None)
            said = self._errors.read_text(errors="replace").strip()[-500:]
            raise NoChromiumError(f"{self._program} does not start ({said or error})") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for pipe in self._pipes:  # without its commander it ends
            os.close(pipe)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)

    def open(self, url: str, *, before: str = "") -> Page:
        """Open a page in a profile of its own; the script `before` runs before the page's own."""
        return Page(self.devtools, url, before=before)
