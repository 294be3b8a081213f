"""Checked by `npm run test:contract` beside `gateway_client`, which openapi-python-client makes of the served document."""

import sys
import time
from typing import TypeVar

from gateway_client import AuthenticatedClient
from gateway_client.api.admin_groups import create_group, list_groups
from gateway_client.api.admin_keys import create_key, list_keys, read_key, update_key
from gateway_client.api.admin_usage import list_usage, list_usage_records
from gateway_client.api.batches import read_batch, submit_batch
from gateway_client.api.chat import create_chat_completion
from gateway_client.models import (
    Batch,
    BatchGenerate,
    BatchGenerateTasksItemType1,
    BatchPriority,
    BatchSubmitted,
    Budget,
    BudgetPeriod,
    ChatCompletion,
    ChatCompletionRequest,
    ChatMessage,
    CreateGroup,
    CreateKey,
    ErrorBody,
    Group,
    GroupList,
    Key,
    KeyList,
    KeyWithSecret,
    KeyWithUsage,
    RateLimits,
    Scope,
    UpdateKey,
    UsageInterval,
    UsageRecordList,
    UsageRowList,
)
from gateway_client.types import UNSET, Unset

T = TypeVar("T")


def of(cls: type[T], value: object) -> T:
    """The response, which must be none of the documented errors."""
    assert isinstance(value, cls), value
    return value


def main(base_url: str, admin_key: str) -> None:
    client = AuthenticatedClient(base_url=base_url, token=admin_key)
    budget = Budget(usd=5, period=BudgetPeriod.MONTH)
    group = of(Group, create_group.sync(client=client, body=CreateGroup(name="python", budget=budget)))
    for name in ("first", "second", "third"):
        body = CreateKey(name=name, group_id=group.id, scopes=[Scope.INFERENCE], limits=RateLimits(rpm=100))
        key = of(KeyWithSecret, create_key.sync(client=client, body=body))
        assert key.key.startswith("gw_") and key.budget is None

    found: list[str] = []
    after: str | Unset = UNSET
    while True:
        page = of(KeyList, list_keys.sync(client=client, limit=2, group_id=group.id, after=after))
        found += [each.name for each in page.data]
        if page.next_ is None:
            break
        after = page.next_
    assert sorted(found) == ["first", "second", "third"], found
    changed = of(Key, update_key.sync(client=client, id=page.data[0].id, body=UpdateKey(limits=None)))
    assert changed.limits is None and changed.scopes == [Scope.INFERENCE]
    assert of(KeyWithUsage, read_key.sync(client=client, id=changed.id)).expires_at is None
    assert "python" in [each.name for each in of(GroupList, list_groups.sync(client=client)).data]

    message = ChatMessage(role="user", content="Say hello")
    request = ChatCompletionRequest(model="sandbox/echo", messages=[message], user="grace")
    request["seed"] = 7  # a member that the document does not name passes through
    completion = of(ChatCompletion, create_chat_completion.sync(client=client, body=request))
    assert completion.choices[0].message.content == "Say hello"
    refused = ChatCompletionRequest(model="none", messages=[message])
    error = of(ErrorBody, create_chat_completion.sync(client=client, body=refused))
    assert error.error.code == "model_not_found", error

    named = BatchGenerateTasksItemType1()
    named["custom_id"] = "two"
    named["model"] = "sandbox/no-such-model"
    named["prompt"] = "two"
    tasks: list[BatchGenerateTasksItemType1 | str] = ["one", named]
    submission = BatchGenerate(model="sandbox/echo", tasks=tasks, priority=BatchPriority.HIGH)
    job = of(BatchSubmitted, submit_batch.sync(client=client, body=submission)).job_id
    while (batch := of(Batch, read_batch.sync(job, client=client))).completed_at is None:
        time.sleep(0.05)
    done, failed = batch.results
    assert done.error is None and done.response is not None, done
    assert of(ChatCompletion, done.response.body).choices[0].message.content == "one"
    assert failed.response is None and failed.error is not None and failed.custom_id == "two", failed

    while not (records := of(UsageRecordList, list_usage_records.sync(client=client, user="grace"))).data:
        time.sleep(0.05)
    assert not isinstance(completion.usage, Unset)
    assert records.data[0].total_tokens == completion.usage.total_tokens
    rows = of(UsageRowList, list_usage.sync(client=client, group_by="model", interval=UsageInterval.NONE, start="2026-01-01"))
    assert "sandbox/echo" in [row.group for row in rows.data]
    print("openapi-python-client: keys, groups, chat, batches and usage work")


main(*sys.argv[1:])
