"""Deployment with ONNX: the converter that skl2onnx lacks.

    from skl2onnx import to_onnx
    import skgoodmin.onnx

    skgoodmin.onnx.register()
    model = to_onnx(pipeline, X[:1], options={"zipmap": False})

The graph is the network (MatMul, Add, the activation, layer by layer), the link to
probabilities, and the labels:

======== ==========================================================================
link     probabilities
======== ==========================================================================
logistic Sigmoid
softmax  Softmax
hinge    with g = min(|f|, edge) and odds ((1 - g) / (1 + g))^(p-1) / (1 + |f| - g),
         the smaller probability is max(odds / (1 + odds), eps)
======== ==========================================================================

With the option ``raw_scores`` (which calibration, stacking and bagging of skl2onnx set)
the raw predictions f stand where the probabilities were, [-f, f] for two classes.
(Stacking of two classes on ``decision_function`` is beyond skl2onnx, of any classifier:
it hands both columns to a final estimator of one. Onnxruntime refuses the graph.)

Needs the extra ``onnx``: ``pip install skgoodmin[onnx]``.
"""

import numpy as np

from .classifier import GoodMinimaClassifier
from .classifier_cv import GoodMinimaClassifierCV


def register():
    """Teach skl2onnx to convert the classifiers of this package.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.
    """
    try:
        from skl2onnx import update_registered_converter
        from skl2onnx.common.shape_calculator import (
            calculate_linear_classifier_output_shapes,
        )
    except ImportError as error:
        raise ImportError(
            "skgoodmin.onnx needs skl2onnx; install it with 'pip install "
            "skgoodmin[onnx]'."
        ) from error
    for estimator in (GoodMinimaClassifier, GoodMinimaClassifierCV):
        update_registered_converter(
            estimator,
            f"Skgoodmin{estimator.__name__}",
            calculate_linear_classifier_output_shapes,
            _convert,
            options={
                "zipmap": [True, False, "columns"],
                "nocl": [True, False],
                "output_class_labels": [False, True],
                "raw_scores": [True, False],
            },
        )


class _Graph:
    """Adds nodes to the container of skl2onnx, constants made on the way."""

    def __init__(self, scope, container, dtype):
        self.scope, self.container, self.dtype = scope, container, dtype

    def constant(self, value, dtype=None):
        """Name of an initializer."""
        from onnx.helper import np_dtype_to_tensor_dtype

        value = np.asarray(value, dtype=dtype or self.dtype)
        name = self.scope.get_unique_variable_name("constant")
        kind = np_dtype_to_tensor_dtype(value.dtype)
        self.container.add_initializer(name, kind, value.shape, value.ravel())
        return name

    def __call__(self, op, *inputs, output=None, version=13, **attributes):
        """Name of the output of a node; inputs that are no names are constants."""
        names = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        output = output or self.scope.get_unique_variable_name(op.lower())
        self.container.add_node(
            op,
            names,
            [output],
            name=self.scope.get_unique_operator_name(op),
            op_version=version,
            **attributes,
        )
        return output


def _activate(graph, name, z):
    """Name of act(z)."""
    if name == "identity":
        return z
    if name == "silu":
        return graph("Mul", z, graph("Sigmoid", z))
    if name == "softplus":
        # max(z, 0) + log(1 + e^-|z|): the operator Softplus overflows in float32.
        tail = graph("Log", graph("Add", graph("Exp", _minus_abs(graph, z)), 1.0))
        return graph("Add", graph("Relu", z), tail)
    return graph({"logistic": "Sigmoid", "tanh": "Tanh", "relu": "Relu"}[name], z)


def _minus_abs(graph, z):
    return graph("Neg", graph("Abs", z))


def _hinge_probabilities(graph, model, raw):
    """Name of P(y = 1 | f), elementwise; see PolynomialHinge.probabilities."""
    exponent = float(model.degree) - 1.0
    root = 1e-9 ** (1.0 / exponent)
    edge = (1.0 - root) / (1.0 + root)
    size = graph("Abs", raw)
    inside = graph("Min", size, edge)
    ratio = graph("Div", graph("Sub", 1.0, inside), graph("Add", 1.0, inside))
    beyond = graph("Add", 1.0, graph("Sub", size, inside))
    odds = graph("Div", graph("Pow", ratio, exponent), beyond)
    small = graph("Div", odds, graph("Add", 1.0, odds))
    small = graph("Max", small, np.finfo(np.float64).eps)
    positive = graph("Greater", raw, 0.0)
    return graph("Where", positive, graph("Sub", 1.0, small), small)


def _convert(scope, operator, container):
    """The graph of one fitted classifier."""
    from skl2onnx.common.data_types import DoubleTensorType
    from skl2onnx.proto import onnx_proto

    model = operator.raw_operator
    link = model.out_activation_
    if link == "custom":
        raise NotImplementedError("A loss of one's own has no ONNX graph.")
    source = operator.inputs[0]
    dtype = np.float64 if isinstance(source.type, DoubleTensorType) else np.float32
    graph = _Graph(scope, container, dtype)
    kind = onnx_proto.TensorProto.DOUBLE if dtype == np.float64 else (
        onnx_proto.TensorProto.FLOAT
    )  # fmt: skip
    values = graph("Cast", source.full_name, to=kind)
    for layer, (w, c) in enumerate(
        zip(model.coefs_, model.intercepts_, strict=True), 1
    ):
        values = graph("Add", graph("MatMul", values, w), c)
        if layer < len(model.coefs_):
            values = _activate(graph, model.activation, values)
    labels, scores = (output.full_name for output in operator.outputs)
    _add_labels(graph, model, values, labels)
    if container.get_options(model, {"raw_scores": False})["raw_scores"]:
        if model.n_outputs_ == 1 and not model.multilabel_:
            graph("Concat", graph("Neg", values), values, output=scores, axis=1)
        else:
            graph("Identity", values, output=scores)
        return
    if link == "softmax":
        positive = graph("Softmax", values, axis=1)
    elif link == "logistic":
        positive = graph("Sigmoid", values)
    else:
        positive = _hinge_probabilities(graph, model, values)
    if model.multilabel_:
        graph("Identity", positive, output=scores)
    elif model.n_outputs_ == 1:
        both = graph("Sub", 1.0, positive), positive
        graph("Concat", *both, output=scores, axis=1)
    else:
        total = graph("ReduceSum", positive, graph.constant([1], np.int64), keepdims=1)
        graph("Div", positive, total, output=scores)


def _add_labels(graph, model, values, output):
    """The labels of raw predictions ``values``."""
    from skl2onnx.proto import onnx_proto

    integers = onnx_proto.TensorProto.INT64
    if model.multilabel_:
        graph("Cast", graph("Greater", values, 0.0), output=output, to=integers)
        return
    if model.n_outputs_ == 1:
        chosen = graph("Cast", graph("Greater", values, 0.0), to=integers)
        chosen = graph("Reshape", chosen, graph.constant([-1], np.int64))
    else:
        chosen = graph("ArgMax", values, axis=1, keepdims=0)
    names = model.classes_
    if names.dtype.kind in "iub":
        table = graph.constant(names, np.int64)
    else:
        table = graph.scope.get_unique_variable_name("classes")
        texts = [str(name).encode() for name in names]
        string = onnx_proto.TensorProto.STRING
        graph.container.add_initializer(table, string, [len(texts)], texts)
    graph("Gather", table, chosen, output=output, axis=0)
