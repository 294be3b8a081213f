"""Hooks of Schemathesis: what generated requests may reach, and the exceptions with their reasons."""

import json
import os
import re

import schemathesis

# A receiver on loopback, so that no generated address is ever called.
WEBHOOK_URL = os.environ["WEBHOOK_URL"]

# Valid data that may be refused: the message that says why, and why a schema cannot.
REFUSALS = [
    (r"Send the `next` of the page before", "a cursor is a value of an earlier response"),
    (r"must be before 'end'", "a relation between two parameters"),
    (r"'expires_at' is in the past", "a relation to the clock"),
    (r"must not contain NUL characters", "a rule of every text, which no database keeps otherwise"),
    (r"Send either 'key' or 'hash'", "one of two members; alternatives would be two classes in generated clients"),
    (r"'hash' and 'hash_type'|'hash_type'", "members that go together"),
    (r"is the same (key|group) as", "a relation between items"),
    (r"Previous response with id|There is no group|There is no key", "a reference to what was made before"),
    (r"is not supported by this model|with this model's provider|[Tt]he sandbox (makes|has|takes)", "what the model's provider takes"),
    (r"'stream' must be a boolean", "a form has no null"),
    (r"'contents' must be an array of turns", "one of `contents` and `generateContentRequest` to be counted"),
    (r"Part \d+ has (no name|a malformed header line)", "names of parts of a form; Schemathesis makes some that are none"),
    (
        r"'(tasks|messages|contents|content|requests|input|system|systemInstruction|tools|tool_choice|text|reasoning|"
        r"response_format|generateContentRequest|generationConfig|toolConfig|thinking|output_config|documents)[.\[]",
        "turns, parts and tools are those of the providers' formats, of which the document has the outline",
    ),
]
# Paths that also are those of a key, a batch, a response or a model of this name, whose methods are allowed there too.
SHADOWING = re.compile(r"/v1/admin/keys/(purge|import|export)|/v1/batch/generate|/v1/responses/\w+|/v1beta/models/.*")
# Faults that are asked for.
FAULTS = re.compile(r"The sandbox model [\w-]+ (always|breaks)|sandbox/(error-\d+|cut)|time that the request asked for")
# Members that go to Claude as they came, and are left out for other models.
UNREAD = re.compile(r"in body - (cache_control|service_tier|metadata|output_config)\b")


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether a finding counts."""
    kind = type(failure).__name__
    if kind == "RejectedPositiveData":
        return not any(re.search(pattern, response.text) for pattern, _ in REFUSALS)
    if failure.title == "Allow header mismatch":
        return SHADOWING.fullmatch(case.path) is None
    if kind == "ServerError":
        return FAULTS.search(response.text) is None
    if kind == "AcceptedNegativeData":
        if case.path.startswith("/v1/messages") and UNREAD.search(str(failure.message)):
            return False
        # Members of forms are texts, which go to the provider as they came.
        return not str(response.request.headers.get("content-type", "")).startswith("multipart/")
    return True


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """OpenAPI 3.1 describes a stream of events as one text; Schemathesis would hold each event to that schema."""
    for path in raw_schema["paths"].values():
        for operation in path.values():
            for response in operation.get("responses", {}).values():
                response.get("content", {}).get("text/event-stream", {}).pop("schema", None)


@schemathesis.hook
def before_call(context, case, kwargs):
    """A webhook whose address is an address goes to the receiver; a timeout is one that a response can meet."""
    timeout = str((case.headers or {}).get("x-gateway-timeout", ""))
    if re.fullmatch(r"[1-9]\d{0,6}ms|[1-9]s", timeout):
        # A stream that a timeout cuts is no fault.
        case.headers["x-gateway-timeout"] = "20s"
    webhook = case.body.get("webhook") if isinstance(case.body, dict) else None
    if isinstance(webhook, dict) and isinstance(webhook.get("url"), str) and webhook["url"].startswith("http"):
        case.body = {**case.body, "webhook": {**webhook, "url": WEBHOOK_URL}}


@schemathesis.deserializer("application/x-ndjson")
def read_lines(context, response):
    """The document describes one line; all lines have the same schema."""
    lines = [json.loads(line) for line in response.text.splitlines()]
    return lines[0] if lines else None
