"""LlamaIndex."""

import os

import expect
import openai
from llama_index.core.llms import ChatMessage
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

ACCESS = {"api_base": os.environ["GATEWAY_URL"] + "/v1", "api_key": os.environ["GATEWAY_KEY"], "max_retries": 0}


class Person(BaseModel):
    name: str
    age: int


def llm(model="sandbox/echo"):
    return OpenAILike(model=model, is_chat_model=True, is_function_calling_model=True, **ACCESS)


def check_plain():
    assert llm().complete("Say hello to Ada.").text == "Say hello to Ada."


def check_stream():
    chunks = list(llm().stream_chat([ChatMessage(role="user", content="one two three")]))
    assert chunks[-1].message.content == "one two three"


def check_structured_output():
    assert isinstance(llm().as_structured_llm(Person).complete("A person.").raw, Person)


def check_embeddings():
    embeddings = OpenAILikeEmbedding(model_name="sandbox/embed", dimensions=8, **ACCESS)
    assert [len(vector) for vector in embeddings.get_text_embedding_batch(["a station", "a park"])] == [8, 8]


def check_cut_stream_raises():
    expect.raises(openai.APIError, lambda: list(llm("sandbox/cut").stream_complete("one two three four")))
