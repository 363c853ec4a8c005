import pytest
import tiny_models

from septet.compress.steps import Quantise, quantise
from septet.core import Run
from septet.inference.torch_engine import TorchEngine
from septet.model.codec import Codec
from septet.model.template import grounded_messages


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A model in its safetensors form."""
    return tiny_models.llama(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def tiny_gguf(tiny, tmp_path_factory):
    """The same model in its GGUF form."""
    return quantise(Quantise(), tiny, Run(tmp_path_factory.mktemp("tiny-gguf") / "model"))


@pytest.fixture(scope="session")
def torch_engine(tiny):
    engine = TorchEngine(tiny, precision="float32", batch=3)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def prompts(tiny):
    codec = Codec(tiny.path)
    questions = ("费用？", "What does the plain card cost in the second year?", "年费是多少？", "a")
    return [codec.prompt(grounded_messages(one, [], "zh" if one[0] > "z" else "en").messages) for one in questions]
