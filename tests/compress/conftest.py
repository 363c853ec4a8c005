import pytest
import tiny_models


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    return tiny_models.llama(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session", params=["llama", "qwen2", "gemma3_text"])
def family(request, tmp_path_factory):
    """A model of each family, with the kind of tokenizer that it has in life."""
    folder = tmp_path_factory.mktemp(request.param)
    tokenizer = (tiny_models.piece_tokenizer if request.param == "gemma3_text" else tiny_models.byte_tokenizer)(
        folder / "tokenizer"
    )
    return tiny_models.family(folder / "model", request.param, tokenizer)
