"""Who asks, and what that lets them do. Pure."""

from dataclasses import dataclass

from shared.decider import PersonId, Rejected


class Unauthenticated(Rejected):
    """A valid token is needed."""

    zh = "需要有效的登录凭证"


class NotAllowed(Rejected):
    """This person may not do that."""

    zh = "没有权限进行这一操作"


class ForeignSchool(Rejected):
    """This token is for another school."""

    zh = "该凭证属于另一所学校"


class UnknownSchool(Rejected):
    """No such school is enrolled here."""

    zh = "没有这所学校"


class UnknownPerson(Rejected):
    """This account belongs to nobody in this school."""

    zh = "该账号不属于本校任何人"


@dataclass(frozen=True)
class Claims:
    """What a verified token says.

    `roles` are those the issuer itself vouches for (`operator`, `service`, `originator`, `auditor`);
    only the local issuer may. `school` is empty for a token good everywhere.
    """

    issuer: str
    subject: str
    roles: frozenset[str] = frozenset()
    school: str = ""
    expires: float = 0.0


ANONYMOUS = Claims("", "anonymous", frozenset({"anonymous"}))


@dataclass(frozen=True)
class Caller:
    """Who asks, in one school, on one day: the id that is recorded and the roles that count.

    `on_record` is who comes from outside: every look they take is written down. `sealed` is who
    checks the records (an auditor): they ask, change nothing, and no sealed text is opened to them.
    """

    id: PersonId
    roles: frozenset[str]
    on_behalf_of: PersonId | None = None
    on_record: bool = False
    sealed: bool = False

    def demand(self, allowed: frozenset[str]) -> None:
        """Let the caller pass who has one of the roles.

        Raises:
            Unauthenticated: nobody is asking.
            NotAllowed: none of the caller's roles is enough.
        """
        if self.roles & allowed:
            return
        if "anonymous" in self.roles:
            raise Unauthenticated
        raise NotAllowed
