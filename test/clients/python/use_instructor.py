"""instructor: structured output, whole and partial."""

import os

import instructor
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

ACCESS = {"base_url": os.environ["GATEWAY_URL"] + "/v1", "api_key": os.environ["GATEWAY_KEY"], "max_retries": 0}
MESSAGES = [{"role": "user", "content": "A person."}]


class Person(BaseModel):
    name: str
    age: int


def check_tools():
    client = instructor.from_openai(OpenAI(**ACCESS), mode=instructor.Mode.TOOLS)
    person = client.chat.completions.create(model="sandbox/echo", messages=MESSAGES, response_model=Person)
    assert isinstance(person, Person)


def check_json_schema():
    client = instructor.from_openai(OpenAI(**ACCESS), mode=instructor.Mode.JSON_SCHEMA)
    person = client.chat.completions.create(model="sandbox/echo", messages=MESSAGES, response_model=Person)
    assert isinstance(person, Person)


def check_partial_stream():
    client = instructor.from_openai(OpenAI(**ACCESS), mode=instructor.Mode.TOOLS)
    parts = list(client.chat.completions.create_partial(model="sandbox/echo", messages=MESSAGES, response_model=Person))
    assert parts[-1].name is not None and parts[-1].age is not None, parts


async def check_async():
    client = instructor.from_openai(AsyncOpenAI(**ACCESS), mode=instructor.Mode.TOOLS)
    person = await client.chat.completions.create(model="sandbox/echo", messages=MESSAGES, response_model=Person)
    assert isinstance(person, Person)
