"""A page in a browser: run scripts in it, see what it asks for, and close it."""

import json
from dataclasses import dataclass
from typing import Any

from tests.browser.devtools import DevTools


class ScriptError(Exception):
    """A script in the page threw; the text is what it threw."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request of a page, as the browser's network saw it.

    `status` is None as long as there is no answer; `failure` says why there will be none.
    """

    method: str
    url: str
    kind: str
    headers: dict[str, str]
    status: int | None = None
    failure: str | None = None


class Page:
    """One tab with cookies and caches of its own."""

    def __init__(self, devtools: DevTools, url: str, *, before: str = "") -> None:
        self._devtools = devtools
        context = devtools.call("Target.createBrowserContext", disposeOnDetach=True)
        target = devtools.call(
            "Target.createTarget", url="about:blank", browserContextId=context["browserContextId"]
        )
        self._context: str = context["browserContextId"]
        self._target: str = target["targetId"]
        self._session: str = devtools.call(
            "Target.attachToTarget", targetId=self._target, flatten=True
        )["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self._call(f"{domain}.enable")
        self._call("Page.addScriptToEvaluateOnNewDocument", source=before)
        self.go(url)

    def go(self, url: str) -> None:
        """Leave for another address, and wait until it is loaded."""
        loads = self._count("Page.loadEventFired")
        answer = self._call("Page.navigate", url=url)
        if "errorText" in answer:
            raise ScriptError(f"{url}: {answer['errorText']}")
        self._devtools.wait(lambda: self._count("Page.loadEventFired") > loads, f"loading {url}")

    def run(self, expression: str) -> Any:
        """Evaluate an expression, await it if it is a promise, and return its value.

        The value crosses as JSON text, so that halves of surrogate pairs survive the way.
        """
        script = f"(async () => JSON.stringify(await ({expression})) ?? 'null')()"
        answer = self._call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if thrown := answer.get("exceptionDetails"):
            raise ScriptError(thrown.get("exception", {}).get("description", thrown["text"]))
        return json.loads(answer["result"]["value"])

    def start(self, expression: str) -> None:
        """Give a script to the page without waiting until it has run."""
        self._devtools.begin("Runtime.evaluate", session=self._session, expression=expression)

    def exchanges(self, prefix: str, *, count: int) -> list[Exchange]:
        """Return requests to addresses that begin so, once `count` of them have ended."""

        def ended() -> list[Exchange]:
            return [e for e in self._exchanges(prefix) if e.status or e.failure]

        self._devtools.wait(lambda: len(ended()) >= count, f"{count} answers from {prefix}")
        return self._exchanges(prefix)

    def hide(self) -> None:
        """Minimise the window, as who looks at something else does."""
        window = self._devtools.call("Browser.getWindowForTarget", targetId=self._target)
        self._devtools.call(
            "Browser.setWindowBounds",
            windowId=window["windowId"],
            bounds={"windowState": "minimized"},
        )

    def close(self) -> None:
        """Close the tab as its user does, and wait until it is gone."""
        self._call("Page.close")
        self._devtools.wait(self._is_gone, "closing the page")

    def discard(self) -> None:
        """Throw away the tab and its profile, whatever state they are in."""
        self._devtools.call("Target.disposeBrowserContext", browserContextId=self._context)

    def _is_gone(self) -> bool:
        return any(
            event["method"] == "Target.detachedFromTarget"
            and event["params"]["sessionId"] == self._session
            for event in self._devtools.told[None]
        )

    def _call(self, command: str, **params: Any) -> dict[str, Any]:
        return self._devtools.call(command, session=self._session, **params)

    def _told(self, method: str) -> list[dict[str, Any]]:
        events = self._devtools.told[self._session]
        return [event["params"] for event in events if event["method"] == method]

    def _count(self, method: str) -> int:
        return len(self._told(method))

    def _exchanges(self, prefix: str) -> list[Exchange]:
        statuses = {
            each["requestId"]: each["response"]["status"]
            for each in self._told("Network.responseReceived")
        }
        failures = {
            each["requestId"]: each["errorText"] for each in self._told("Network.loadingFailed")
        }
        return [
            Exchange(
                method=each["request"]["method"],
                url=each["request"]["url"],
                kind=each["type"],
                headers=each["request"]["headers"],
                status=statuses.get(each["requestId"]),
                failure=failures.get(each["requestId"]),
            )
            for each in self._told("Network.requestWillBeSent")
            if each["request"]["url"].startswith(prefix)
        ]
