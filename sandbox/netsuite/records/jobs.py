"""Asynchronous requests: `Prefer: respond-async`, and the idempotency key that only they know.

A key that was used is answered 400 with title "Conflict" and the address of the first job; the first answer is not
given again. Source: NetSuite help, "Sending an Asynchronous Request Using an Idempotency Key".
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.responses import Response

from sandbox.netsuite.errors import RestError, not_found

JOBS: Final = "/services/rest/async/v1/job"
_MEDIA: Final = "application/vnd.oracle.resource+json; type=singular"


@dataclass(slots=True)
class Job:
    """A job with its one task; done at once, and told as done only after it was asked for a few times."""

    number: int
    result: Response
    asked: int = 0


class Jobs:
    """The jobs of an account."""

    def __init__(self, ended_after: Callable[[], int]) -> None:
        self._ended_after = ended_after
        self._jobs: dict[int, Job] = {}
        self._keys: dict[str, int] = {}

    def forget(self) -> None:
        """Begin anew."""
        self._jobs.clear()
        self._keys.clear()

    async def take(self, key: str | None, base: str, do: Callable[[], Awaitable[Response]]) -> Response:
        """Take a request to be answered later.

        Raises:
            RestError: 400: the key was used.
        """
        if key is not None and key in self._keys:
            raise RestError(
                400,
                "IDEMPOTENCY_ERROR",
                "A request with the same idempotency key was sent before.",
                title="Conflict",
                where=("o:errorHeader", "X-NetSuite-Idempotency-Key"),
                headers={"location": f"{base}{JOBS}/{self._keys[key]}"},
            )
        try:
            result = await do()
        except RestError as error:
            result = error.response()
        job = Job(len(self._jobs) + 1, result)
        self._jobs[job.number] = job
        if key is not None:
            self._keys[key] = job.number
        headers = {"location": f"{base}{JOBS}/{job.number}", "preference-applied": "respond-async"}
        return Response(status_code=202, headers=headers)

    def answer(self, path: str, base: str) -> Response:
        """Show a job, its task, or the task's result.

        Raises:
            RestError: 404.
        """
        parts = path.removeprefix(JOBS).strip("/").split("/")
        job = self._jobs.get(int(parts[0])) if parts[0].isdigit() else None
        if job is None:
            raise not_found("job", parts[0])
        address = f"{base}{JOBS}/{job.number}"
        if parts[1:] == []:
            job.asked += 1
            done = job.asked > self._ended_after()
            progress = ("succeeded" if job.result.status_code < 400 else "failed") if done else "pending"
            task = {"links": [{"rel": "self", "href": f"{address}/task"}]}
            return _json({"id": str(job.number), "completed": done, "progress": progress, "task": task})
        if parts[1:] == ["task"]:
            return _json({"items": [{"id": "1", "links": [{"rel": "self", "href": f"{address}/task/1"}]}]})
        if parts[1:3] == ["task", "1"] and parts[3:] in ([], ["result"]):
            return job.result
        raise not_found("task", path)


def _json(body: Mapping[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type=_MEDIA)
