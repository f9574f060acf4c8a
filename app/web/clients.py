"""Clients: who sends a request is found out once, and held to how much they may send."""

from msgspec.structs import replace

from app.auth.credentials import credentials_of
from app.auth.identification import Identification
from app.core.errors import CredentialsRefused, EventError, IdentityUnavailable
from app.core.events import Context
from app.rates import Rates, client_of
from app.web.guard import Refusal


class Clients:
    """Lets requests in. `identification` None: credentials are not looked at."""

    def __init__(self, *, identification: Identification | None, rates: Rates | None) -> None:
        self._identification = identification
        self._rates = rates

    async def let_in(self, context: Context, *, identify: bool = True) -> Context:
        """Return the context with the subject that the request proves; raises Refusal.

        Nothing of the body need have arrived. Not `identify`: on a wire that has no credentials.
        """
        try:
            if identify and self._identification is not None:
                context = await self._identified(context, self._identification)
            if self._rates is not None:
                client = client_of(context.subject, context.client_ip)
                self._rates.check(client)
                self._rates.take_request(client)
        except EventError as error:
            raise Refusal(error) from error
        return context

    def count_events(self, context: Context, count: int) -> None:
        """Count the events of a request that is whole; raises Refusal."""
        if self._rates is not None:
            try:
                self._rates.take_events(client_of(context.subject, context.client_ip), count)
            except EventError as error:
                raise Refusal(error, whole=True) from error

    async def _identified(self, context: Context, identification: Identification) -> Context:
        stranger = client_of(None, context.client_ip)
        try:
            credentials = credentials_of(context.header)
            if credentials is None:
                return context
            subject = identification.recalled(credentials)
            if subject is None:
                # Nobody makes us prove signatures, or tries keys, faster than they may send.
                if self._rates is not None:
                    self._rates.check(stranger)
                subject = await identification.subject_of(credentials)
        except (CredentialsRefused, IdentityUnavailable):
            if self._rates is not None:
                self._rates.check(stranger)
                self._rates.take_request(stranger)
            raise
        return replace(context, subject=subject)
