"""User agents taken apart as the old system did: families, versions, apps, bots."""

import re
from functools import lru_cache
from typing import Any

from legacy.uamatching import Matchings, open_matchings

MAX_LENGTH = 800
REMEMBERED = 5_000

_OTHER = "Other"
_APP = "WikipediaApp/"
# Of Webrequest.java in analytics/refinery, as eventlogging had it: '.' ends at a newline, and the
# second part counts only at the beginning. What follows must reach the end, so a newline inside
# makes it no bot.
_BOT = re.compile(
    r"(?:.*(?:bot|spider|WordPress|AppEngine|AppleDictionaryService|Python-urllib|python-requests"
    r"|Google-HTTP-Java-Client|[Ff]acebook|[Yy]ahoo|RockPeaks|http)"
    r"|(?:goo wikipedia|MediaWikiCrawler-Google|wikiwix-bot|Java|curl|PHP|Faraday|HTTPC|Ruby|\.NET"
    r"|Python|Apache|Scrapy|PycURL|libwww|Zend|wget|nodemw|WinHttpRaw|Twisted|com\.eusoft|Lagotto"
    r"|Peggo|Recuweb|check_http|Magnus|MLD|Jakarta|find-link|J\. River|projectplan9|ADmantX"
    r"|httpunit|LWP|iNaturalist|WikiDemo|FSResearchIt|livedoor|Microsoft Monitoring|MediaWiki"
    r"|User:|User_talk:|github|tools.wmflabs.org|Blackboard Safeassign|Damn Small XSS"
    r"|\S+@\S+\.[a-zA-Z]{2,3})).*$"
)

Agent = dict[str, str | bool | None]


class UserAgentError(ValueError):
    """A user agent that the old system could not take apart; it lost the event."""


class UserAgents:
    """Takes user agents apart; remembers the last 5,000 different ones."""

    def __init__(self, matchings: Matchings, *, remembered: int = REMEMBERED) -> None:
        self._matchings = matchings
        self._agent = lru_cache(remembered)(self._taken_apart)

    def parse(self, text: Any) -> Agent:
        """Return what a user agent says, as the old `parse_ua` did; raises UserAgentError.

        Log lines had user agents in literal quotes, which are part of the text and change answers:
        leave them where the old system's judgement counts.
        """
        if not isinstance(text, str):
            raise UserAgentError("The user agent is not a string.")
        if len(text) > MAX_LENGTH:
            raise UserAgentError(
                f"The user agent has {len(text):,} characters; at most {MAX_LENGTH} were taken."
            )
        return dict(self._agent(text))

    def _taken_apart(self, text: str) -> Agent:
        app_version = _app_version(text)
        browser = self._matchings.browser(text)
        system = self._matchings.os(text)
        device = self._matchings.device(text)
        device_family = device.family if device else _OTHER
        return {
            "device_family": device_family,
            "browser_family": browser.family if browser else _OTHER,
            "browser_major": browser.major if browser else None,
            "browser_minor": browser.minor if browser else None,
            "os_family": system.family if system else _OTHER,
            "os_major": system.major if system else None,
            "os_minor": system.minor if system else None,
            "wmf_app_version": app_version,
            "is_bot": _is_bot(text, device_family),
            "is_mediawiki": "mediawiki" in text.lower(),
        }


@lru_cache(1)
def default_user_agents() -> UserAgents:
    """Return the one that everybody shares, made at the first call: its database is large."""
    return UserAgents(open_matchings())


def parse_ua(text: Any) -> Agent:
    """Return what a user agent says; see `UserAgents.parse`."""
    return default_user_agents().parse(text)


def _app_version(text: str) -> str:
    if _APP not in text:
        return "-"
    # Wherever the app is named, the first word was taken for it.
    _, slash, rest = text.split(maxsplit=1)[0].partition("/")
    if not slash:
        raise UserAgentError(f"The user agent names {_APP} and begins with a word without '/'.")
    return rest.partition("/")[0]


def _is_bot(text: str, device_family: str) -> bool:
    if device_family == "Spider":
        return True
    return device_family == _OTHER and _BOT.match(text.strip('"')) is not None
