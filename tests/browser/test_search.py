"""What a student types, and the section that must be first; asked in one page of the built site."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from built import page

FIRST = {
    "upstream gradient": "foundations/notation/#gradients",
    "broadcasting": "foundations/notation/#sizes-and-indices",
    "what is backpropagation": "foundations/chain_rule/",
    "chain rule": "foundations/chain_rule/",
    "skip connection": "foundations/chain_rule/#what-a-skip-connection-does-to-the-gradient",
    "vector-jacobian product": (
        "foundations/chain_rule/"
        "#from-numbers-to-arrays-what-does-not-change-and-what-must-not-be-built"
    ),
    "gradient check": "foundations/gradient_checking/",
    "numerical gradient step size": "foundations/gradient_checking/#the-best-step",
    "einsum": "foundations/einsum/",
    "piecewise linear": "layers/relu/#what-bends-build",
    "dead relu": "layers/relu/#how-a-unit-dies",
    "vanishing gradient": "layers/linear/#twenty-layers-measured",
    "exploding gradient": "layers/linear/#where-the-gradient-does-vanish",
    "he initialisation": "layers/linear/#how-large-should-the-first-weights-be",
    "kaiming": "layers/linear/#how-large-should-the-first-weights-be",
    "fan-in": "layers/linear/#how-large-should-the-first-weights-be",
    "uniform initialisation": "layers/linear/#how-large-should-the-first-weights-be",
    "why do we need activation functions": "layers/linear/#two-layers-without-a-bend-are-one",
    "what is a jacobian": "layers/softmax/#the-jacobian-from-one-number-to-a-row",
    "log-odds": "layers/softmax/#why-the-exponential-and-why-soft",
    "softmax overflow": "layers/softmax/#the-formula-is-right-and-the-program-is-wrong",
    "cross entropy": "layers/cross_entropy/",
    "one-hot": "layers/cross_entropy/",
    "batch norm inference": "layers/batch_norm/#two-functions-in-one-layer",
    "kl divergence": "layers/cross_entropy/#why-no-other-answer-is-better",
    "running mean": "layers/batch_norm/#what-it-remembers-and-how-fast-it-forgets",
    "layer norm vs batch norm": "layers/layer_norm/#it-does-not-mind-the-batch",
    "im2col": "layers/convolution/#one-product-im2col",
    "col2im": "layers/convolution/#one-product-im2col",
    "output size of a convolution": "layers/convolution/#how-large-is-the-output",
    "receptive field": "layers/convolution/#how-far-does-an-output-see",
    "pooling": "layers/pooling/",
    "max pooling": "layers/pooling/",
    "average pooling": "layers/pooling/",
    "global average pooling": "layers/pooling/#global-average-pooling",
    "max pooling ties": "layers/pooling/#ties-when-two-are-the-largest",
    "why divide by N": "networks/iris/#forgetting-to-divide-by-n",
    "symmetry breaking": "networks/iris/#all-weights-equal-at-the-start",
    "batch size": "networks/optimizers/#small-batches-noise-and-many-steps",
    "adam bias correction": "networks/optimizers/#the-correction",
    "momentum": "networks/optimizers/#what-momentum-buys",
    "gradient clipping": "networks/schedules/#clipping-and-what-it-can-and-cannot-do",
    "overfitting": "networks/regularisation/",
    "weight decay": "networks/regularisation/#weight-decay-a-pull-on-each-weight",
    "dropout evaluation": "networks/regularisation/#1-dropout-left-on-in-evaluation",
    "early stopping": "networks/regularisation/#early-stopping-the-epoch-is-a-setting-too",
    "patience": "networks/regularisation/#early-stopping-the-epoch-is-a-setting-too",
    "aliasing": "networks/pooling_buys/#why-a-shift-by-one-can-do-anything",
    "translation invariance": "networks/pooling_buys/",
    "learning rate too high": "networks/cnn/#a-learning-rate-that-is-too-high",
    "autograd from scratch": "networks/autograd/",
    "reverse mode automatic differentiation": "networks/autograd/",
    "topological order": "networks/autograd/#from-the-chain-rule-to-a-walk",
    "confusion matrix": "pytorch/fashion_mnist/#which-shirts-look-like-coats",
    "zero_grad": "pytorch/from_our_layers/#gradients-add-up",
    "resume training": "pytorch/long_trainings/#interrupted-and-still-the-same",
    "freeze layers": "pytorch/transfer/#frozen-each-picture-passes-the-convolutions-once",
}
OTHERWISE = {  # in other forms, in American English, and spelt wrongly
    "vanishing gradients": "layers/linear/#twenty-layers-measured",
    "weight initialization": "layers/linear/#how-large-should-the-first-weights-be",
    "what is the jacobean": "layers/softmax/#the-jacobian-from-one-number-to-a-row",
    "recepive feild": "layers/convolution/#how-far-does-an-output-see",
}
# Types a question, waits for the answer, and returns the links of the first result, with scores.
ASK = """async (question) => {
    const input = document.querySelector(".md-search__input");
    const list = document.querySelector(".md-search-result__list");
    const until = async (there) => {
        for (let i = 0; i < 600 && there() === null; i += 1)
            await new Promise(requestAnimationFrame);
        return there();
    };
    const type = (text) => {
        input.value = text;
        input.dispatchEvent(new KeyboardEvent("keyup", { bubbles: true }));
    };
    type("");
    await until(() => (list.children.length ? null : true));
    type(question);
    const first = await until(() => list.firstElementChild);
    return [...(first?.querySelectorAll(":scope > a") ?? [])].map((link) => ({
        address: link.href,
        score: Number(link.firstElementChild.dataset.mdScore),
        text: link.innerText,
    }));
}"""


@pytest.fixture(scope="module")
def ask(browser: Any, elsewhere: str) -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    here = browser.new_page(viewport={"width": 1280, "height": 900})
    here.goto(f"{elsewhere}foundations/notation/")
    here.wait_for_load_state("load")
    here.keyboard.press("/")

    def answer(question: str) -> list[dict[str, Any]]:
        links: list[dict[str, Any]] = here.evaluate(ASK, question)
        for link in links:  # without what is marked on the page that it leads to
            link["address"] = re.sub(r"\?h=[^#]*", "", link["address"].removeprefix(elsewhere))
        return links

    yield answer
    here.close()


@pytest.mark.parametrize(("question", "section"), [*FIRST.items(), *OTHERWISE.items()])
def test_the_right_section_is_first(
    question: str, section: str, ask: Callable[[str], list[dict[str, Any]]]
) -> None:
    address, _, name = section.partition("#")
    assert not name or name in page(address).anchors
    links = ask(question)
    # Enter leads to the best; on the page stands its page's title before it, if it is a section.
    assert max(links, key=lambda link: link["score"])["address"] == section
    assert [link["address"] for link in links] == ([address, section] if name else [section])
    assert all(len(link["text"]) < 400 for link in links), "a result is a few lines"


def test_all_words_are_looked_for_and_then_any(
    ask: Callable[[str], list[dict[str, Any]]],
) -> None:
    assert "Missing" not in ask("dead relu")[-1]["text"]
    assert "Missing" in ask("dead relu xyzzyzzy")[-1]["text"]
    assert ask("xyzzyzzy") == []


def test_code_that_is_folded_is_not_found(ask: Callable[[str], list[dict[str, Any]]]) -> None:
    assert "use_style" in page("layers/relu/").html
    assert ask("use_style") == []
