"""Hooks of Schemathesis: what generated requests may reach, and the exceptions with their reasons."""

import json
import os
import re
from typing import NamedTuple

import schemathesis

# A receiver on loopback, so that no generated address is ever called.
WEBHOOK_URL = os.environ["WEBHOOK_URL"]
# Media types of which each line is a JSON document.
LINES = ("application/x-ndjson", "application/x-jsonl")


class Expected(NamedTuple):
    """A finding that is right as it is: of these operations, with this status, where the body of the response says so."""

    operations: str
    status: int
    text: str
    reason: str


A_CURSOR = "a cursor is a value of an earlier response"
TWO_PARAMETERS = "a relation between two parameters"
TWO_FIELDS = "a relation between two fields: a choice of schemas would take the fields from the types of generated clients"
AN_OUTLINE = "turns, parts and tools are those of the providers' formats, of which the document has the outline"
A_REFERENCE = "a reference to what was made before"
A_FORM = "Schemathesis writes bytes into the names and headers of parts that no form has"
OF_THE_SANDBOX = "what the sandbox takes, which is a provider of its own"
# The gateway's own lists, whose pages begin after a cursor.
LISTS = "|".join(
    (
        r"GET /v1/admin/(audit|batches|configuration/changes|groups|keys|request-log|sessions|usage|usage/records)",
        r"GET /v1/(batch|key/usage(/records)?|session/keys)",
    )
)
# Operations whose query has a text that is looked for in the database.
SEARCHES = "|".join(
    (
        LISTS,
        r"GET /v1/(admin/usage/latency|batches|files|messages/batches)",
        r"DELETE /v1/admin/request-log",
    )
)
# Operations whose body has a text that is stored as it came.
STORES = "|".join(
    (
        r"POST /v1/admin/(groups|keys|keys/import|keys/purge|(groups|keys)/\{\w+\}/budget/reset)",
        r"POST /v1/admin/deployments/(drain|enable)",
        r"PATCH /v1/admin/(batches|groups|keys)/\{\w+\}",
        r"POST /v1/(batch/(generate|estimate)|batch/\{\w+\}/retry|batches|messages/batches)",
        r"POST /v1/(session|uploads|uploads/\{\w+\}/complete)",
    )
)

# Valid data that is refused, and why no schema can say so.
REFUSALS = [
    Expected(
        LISTS,
        400,
        r"'after' is no cursor of this list",
        A_CURSOR,
    ),
    Expected(r"GET /v1/messages/batches", 400, r"'(after|before)_id' is no message batch's id", A_CURSOR),
    Expected(r"GET /v1/messages/batches", 400, r"'after_id' and 'before_id' exclude each other", TWO_PARAMETERS),
    Expected(r"POST /v1/batch/(generate|estimate)", 400, r"'input' and 'tasks' exclude each other", TWO_FIELDS),
    Expected(
        r"POST /v1/batch/(generate|estimate)",
        400,
        r"batch\.output_buckets",
        "the buckets are those of a setting of the operator",
    ),
    Expected(
        r"(DELETE /v1/messages/batches/\{\w+\}|GET /v1/messages/batches/\{\w+\}/results)",
        400,
        r"has not ended",
        "what is possible depends on the state of the batch",
    ),
    Expected(r"GET /v1/batches", 400, r"'after' is no batch's id", A_CURSOR),
    Expected(
        r"POST /v1/batches",
        400,
        r"'endpoint' must be one of",
        "the endpoints are those of the build; the description lists them",
    ),
    Expected(
        r"POST /v1/batches",
        400,
        r"'completion_window' must be from 10s to 30d",
        "the bounds of a duration with a unit",
    ),
    Expected(
        r"POST /v1/uploads/\{\w+\}/complete",
        400,
        r"'part_ids\[\d+\]' is no part of this upload",
        A_REFERENCE,
    ),
    Expected(
        r"POST /v1/uploads/\{\w+\}/parts",
        400,
        r"With this part the upload has more than",
        "the bytes of an upload are those that it was created with",
    ),
    Expected(r"POST /v1/uploads", 400, r"'bytes' must be at most", "the bound is a setting of the operator"),
    Expected(
        r"POST /v1/uploads/\{\w+\}/(complete|cancel|parts)",
        400,
        r"is completed or cancelled",
        "what is possible depends on the state of the upload",
    ),
    Expected(r"GET /v1/files", 400, r"'after' is no file's id", A_CURSOR),
    Expected(
        r"GET /v1/(admin/(audit|request-log|usage(/latency|/records)?)|key/usage(/records)?)",
        400,
        r"'start' must be before 'end'",
        TWO_PARAMETERS,
    ),
    Expected(r"POST /v1/admin/keys(/import)?|PATCH /v1/admin/keys/\{id\}", 400, r"'(\S+\.)?expires_at' is in the past", "a relation to the clock"),
    Expected(
        f"{SEARCHES}|{STORES}",
        400,
        r"must not contain NUL characters",
        "a rule of every text, which no database keeps otherwise",
    ),
    Expected(r"POST /v1/admin/deployments/(drain|enable)", 404, r"There is no deployment", A_REFERENCE),
    Expected(r"POST /v1/admin/keys(/import)?|PATCH /v1/admin/keys/\{id\}", 400, r"There is no group|There is no key", A_REFERENCE),
    Expected(
        r"POST /v1/admin/keys/import",
        400,
        r"Send either 'key' or 'hash'|Send 'hash_type' with 'hash'",
        "members that go together; alternatives would be two classes in generated clients",
    ),
    Expected(
        r"POST /v1/files",
        400,
        r"Missing required field 'expires_after\[(anchor|seconds)\]'\. It goes together with",
        "members that go together; a form has no alternatives",
    ),
    Expected(
        r"POST /v1beta/models/\{model\}:batchEmbedContents",
        400,
        r"'requests\[\d+\]' has another taskType, title or outputDimensionality than the first",
        "a relation between items",
    ),
    Expected(r"POST /v1/admin/keys/import", 400, r"is the same (key|group) as|is the same as", "a relation between items"),
    Expected(r"POST /v1/responses(/compact|/input_tokens)?", 400, r"Previous response with id", A_REFERENCE),
    Expected(r"POST /v1/responses/input_tokens", 400, r"'input' is empty", "empty only where no earlier response is named"),
    Expected(
        r"POST /v1/completions",
        400,
        r"'\w+' is not supported by this model, which has no completions API",
        OF_THE_SANDBOX,
    ),
    Expected(
        r"POST /v[12]/(embeddings|rerank|moderations|images/\w+|audio/\w+|batch/(generate|estimate))",
        400,
        r"with this model's provider|[Tt]he sandbox (makes|has|takes|keeps)",
        OF_THE_SANDBOX,
    ),
    Expected(
        r"POST /v1/images/(generations|edits)",
        400,
        r"Missing required field 'model'",
        "required where OpenAI's default model is not served, as here",
    ),
    Expected(
        r"POST /v1/(audio/(transcriptions|translations)|images/edits|files)",
        400,
        r"Part \d+ has (no name|a malformed header line)",
        A_FORM,
    ),
    Expected(
        r"POST /v1/(audio/(transcriptions|translations)|images/edits)",
        400,
        r"'\w+' must be a (boolean|number)",
        "a form has no null",
    ),
    Expected(
        r"POST /v1beta/models/\{model\}:countTokens",
        400,
        r"'contents' must be an array of turns",
        "one of `contents` and `generateContentRequest`",
    ),
    Expected(r"POST /v1/chat/completions", 400, r"'(messages|tools|tool_choice|response_format)[.\[]", AN_OUTLINE),
    Expected(
        r"POST /v1/messages(/count_tokens)?",
        400,
        r"'(messages|system|tools|tool_choice|thinking|output_config)[.\[]",
        AN_OUTLINE,
    ),
    Expected(
        r"POST /v1/messages/batches",
        400,
        r"'requests\[\d+\]\.params\.(messages|system|tools|tool_choice|thinking|output_config)[.\[]",
        AN_OUTLINE,
    ),
    Expected(
        r"POST /v1/responses(/compact|/input_tokens)?",
        400,
        r"'(input|instructions|tools|tool_choice|text|reasoning)[.\[]",
        AN_OUTLINE,
    ),
    Expected(
        r"POST /v1beta/models/\{model\}:(generateContent|streamGenerateContent|countTokens)",
        400,
        r"'(generateContentRequest\.)?(contents|systemInstruction|tools|toolConfig|generationConfig)[.\[]",
        AN_OUTLINE,
    ),
    Expected(
        r"POST /v1beta/models/\{model\}:(embedContent|batchEmbedContents)",
        400,
        r"'(requests\[\d+\]\.)?content[.\[]",
        AN_OUTLINE,
    ),
    Expected(r"POST /v[12]/rerank", 400, r"'documents\[", AN_OUTLINE),
    Expected(
        r"POST /v1/(batch/(generate|estimate)|batch/\{job_id\}/retry|batches|messages/batches)",
        400,
        r"'rate' needs|'?windows'? (must|has|begins)|only after the job has expired|'max_cost_usd' cannot hold",
        "bounds of a batch that depend on each other, on prices and on the clock",
    ),
    Expected(
        r"POST /v1/(batch/(generate|estimate)|messages/batches)",
        400,
        r"No provider of the model '.*' has a (batch API of its own|flex tier at a lower price)",
        "the price tiers of a model are those of its providers, as the description of `pricing` says",
    ),
    Expected(r"POST /v1/batch/\{job_id\}/retry", 400, r"nothing to retry|is no task of this batch", A_REFERENCE),
    Expected(r"POST /v1/batch/(generate|estimate)", 400, r"'tasks\[\d+\]", "a task is a request of its endpoint, of which there are many"),
]
# Failures that the model of a request asks for.
SERVER_ERRORS = [
    Expected(
        r"POST /v1.*",
        502,
        r"The sandbox model [\w-]+ (always|breaks)",
        "the models sandbox/error-500 and sandbox/cut",
    ),
    Expected(r"POST /v1.*", 504, r"time that the request asked for", "the header x-gateway-timeout"),
]
# Invalid data that is taken: members that go to Claude as they came, and are left out for other models.
UNREAD = Expected(
    r"POST /v1/messages(/count_tokens)?",
    200,
    r"in body - (cache_control|service_tier|metadata|output_config)\b",
    "the provider checks them",
)
# Members of forms are texts, which go to the provider as they came.
FORMS = re.compile(r"POST /v1/(audio/(transcriptions|translations)|images/edits)")
# Paths that also are those of a key, a batch, a response or a model of this name, whose methods are allowed there too.
SHADOWING = re.compile(
    r"/v1/admin/keys/(purge|import|export)|/v1/batch/(generate|estimate)|/v1/responses/(compact|input_tokens)|/v1beta/models/\{model\}:\w+"
)


def is_expected(exceptions, case, response, text):
    """Whether one of the exceptions is about this operation, this status and this text."""
    return any(
        re.fullmatch(each.operations, case.operation.label)
        and response.status_code == each.status
        and re.search(each.text, text)
        for each in exceptions
    )


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether a finding counts."""
    kind = type(failure).__name__
    if kind == "RejectedPositiveData":
        return not is_expected(REFUSALS, case, response, response.text)
    if kind == "ServerError":
        return not is_expected(SERVER_ERRORS, case, response, response.text)
    if failure.title == "Allow header mismatch":
        return SHADOWING.fullmatch(case.path) is None
    if kind == "AcceptedNegativeData":
        if is_expected([UNREAD], case, response, str(failure.message)):
            return False
        is_form = str(response.request.headers.get("content-type", "")).startswith("multipart/")
        return not (is_form and FORMS.fullmatch(case.operation.label))
    return True


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """
    OpenAPI 3.1 describes a stream of events as one text; Schemathesis would hold each event to that schema. A body of lines is
    described by its line; `read_lines` makes an array of them.
    """
    for path in raw_schema["paths"].values():
        for operation in path.values():
            for response in operation.get("responses", {}).values():
                content = response.get("content", {})
                content.get("text/event-stream", {}).pop("schema", None)
                for media_type in LINES:
                    if "schema" in content.get(media_type, {}):
                        content[media_type]["schema"] = {"type": "array", "items": content[media_type]["schema"]}


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


@schemathesis.deserializer(*LINES)
def read_lines(context, response):
    """All lines; a body without any is an empty array. A text may contain other characters that Python takes for ends of lines."""
    return [json.loads(line) for line in response.text.split("\n") if line.strip()]
