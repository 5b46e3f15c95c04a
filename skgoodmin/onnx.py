"""Deployment with ONNX: the converter that skl2onnx lacks.

    from skl2onnx import to_onnx
    import skgoodmin.onnx

    skgoodmin.onnx.register()
    model = to_onnx(pipeline, X[:1], options={"zipmap": False})

The graph is the network (MatMul, Add, the activation, layer by layer), and for a
classifier the link to probabilities, and the labels. Activations and losses bring their
own nodes along.

With the option ``raw_scores`` (which calibration, stacking and bagging of skl2onnx set)
the raw predictions f stand where the probabilities were, [-f, f] for two classes.
(Stacking of two classes on ``decision_function`` is beyond skl2onnx, of any classifier:
it hands both columns to a final estimator of one. Onnxruntime refuses the graph.)

Needs the extra ``onnx``: ``pip install skgoodmin[onnx]``.
"""

from typing import Any

import numpy as np

from .classifier import GoodMinimaClassifier
from .classifier_cv import GoodMinimaClassifierCV
from .estimator.targets import Labels, SeveralClasses, TwoClasses
from .kernels.activations import ACTIVATIONS
from .regressor import GoodMinimaRegressor
from .regressor_cv import GoodMinimaRegressorCV


def register():
    """Teach skl2onnx to convert the estimators of this package.

    Those of :mod:`skgoodmin.dask` give one that it knows by ``to_local()``.

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
            _convert_classifier,
            options={
                "zipmap": [True, False, "columns"],
                "nocl": [True, False],
                "output_class_labels": [False, True],
                "raw_scores": [True, False],
            },
        )
    for regressor in (GoodMinimaRegressor, GoodMinimaRegressorCV):
        update_registered_converter(
            regressor,
            f"Skgoodmin{regressor.__name__}",
            _regressor_shapes,
            _convert_regressor,
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


class _TwoClasses:
    """One column of raw predictions, the second class where it is positive."""

    @staticmethod
    def place(graph, raw):
        """Place of the class."""
        above = graph("Cast", graph("Greater", raw, 0.0), to=_int64())
        return graph("Reshape", above, graph.constant([-1], np.int64))

    @staticmethod
    def raw_scores(graph, raw, output):
        """[-f, f]."""
        graph("Concat", graph("Neg", raw), raw, output=output, axis=1)

    @staticmethod
    def probabilities(graph, positive, output):
        """[1 - P, P]."""
        both = graph("Sub", 1.0, positive), positive
        graph("Concat", *both, output=output, axis=1)


class _SeveralClasses:
    """A column for each class, the class where it is largest."""

    @staticmethod
    def place(graph, raw):
        """Place of the class."""
        return graph("ArgMax", raw, axis=1, keepdims=0)

    @staticmethod
    def raw_scores(graph, raw, output):
        """The raw predictions."""
        graph("Identity", raw, output=output)

    @staticmethod
    def probabilities(graph, positive, output):
        """Normalised to the sum 1."""
        axis = graph.constant([1], np.int64)
        total = graph("ReduceSum", positive, axis, keepdims=1)
        graph("Div", positive, total, output=output)


class _Labels:
    """A column for each label, which a row has where it is positive."""

    place = None  # there is no class to look up

    @staticmethod
    def raw_scores(graph, raw, output):
        """The raw predictions."""
        graph("Identity", raw, output=output)

    @staticmethod
    def probabilities(graph, positive, output):
        """As they are."""
        graph("Identity", positive, output=output)


OUTPUTS: dict[type, Any] = {
    TwoClasses: _TwoClasses,
    SeveralClasses: _SeveralClasses,
    Labels: _Labels,
}


def _int64():
    from skl2onnx.proto import onnx_proto

    return onnx_proto.TensorProto.INT64


def _network(scope, operator, container):
    """(graph, raw predictions) of one fitted estimator."""
    from skl2onnx.common.data_types import DoubleTensorType
    from skl2onnx.proto import onnx_proto

    model = operator.raw_operator
    activation = ACTIVATIONS[model._learner.activation]
    source = operator.inputs[0]
    double = isinstance(source.type, DoubleTensorType)
    tensor = onnx_proto.TensorProto
    graph = _Graph(scope, container, np.float64 if double else np.float32)
    kind = tensor.DOUBLE if double else tensor.FLOAT
    raw = graph("Cast", source.full_name, to=kind)
    for layer, (w, c) in enumerate(
        zip(model.coefs_, model.intercepts_, strict=True), 1
    ):
        raw = graph("Add", graph("MatMul", raw, w), c)
        if layer < len(model.coefs_):
            raw = activation.onnx(graph, raw)
    return graph, raw


def _regressor_shapes(operator):
    """The shape of what the graph puts out, (n_samples, n_targets)."""
    n_rows, n_targets = (
        operator.inputs[0].type.shape[0],
        operator.raw_operator.n_outputs_,
    )
    operator.outputs[0].type.shape = [n_rows, n_targets]


def _convert_regressor(scope, operator, container):
    """The graph of one fitted regressor: y = mean + scale f."""
    model, (output,) = operator.raw_operator, operator.outputs
    graph, raw = _network(scope, operator, container)
    scaled = graph("Mul", raw, np.atleast_1d(model.y_scale_))
    graph("Add", scaled, np.atleast_1d(model.y_mean_), output=output.full_name)


def _convert_classifier(scope, operator, container):
    """The graph of one fitted classifier."""
    model = operator.raw_operator
    graph, raw = _network(scope, operator, container)
    labels, scores = (output.full_name for output in operator.outputs)
    outputs = OUTPUTS[type(model._target)]
    if outputs.place is None:
        graph("Cast", graph("Greater", raw, 0.0), output=labels, to=_int64())
    else:
        table = _classes(graph, model.classes_, operator.outputs[0].type)
        graph("Gather", table, outputs.place(graph, raw), output=labels, axis=0)
    if container.get_options(model, {"raw_scores": False})["raw_scores"]:
        outputs.raw_scores(graph, raw, scores)
    else:
        positive = model._link.onnx(graph, raw)
        outputs.probabilities(graph, positive, scores)


def _classes(graph, classes, kind):
    """Name of the table of classes, of the type that skl2onnx gives to labels.

    Texts, or whole numbers; texts of which nothing is told ("nocl") are numbered.
    """
    from skl2onnx.common.data_types import StringTensorType
    from skl2onnx.proto import onnx_proto

    if isinstance(kind, StringTensorType):
        table = graph.scope.get_unique_variable_name("classes")
        texts = [str(name).encode() for name in classes]
        string = onnx_proto.TensorProto.STRING
        graph.container.add_initializer(table, string, [len(texts)], texts)
        return table
    if classes.dtype.kind not in "iubf":
        classes = np.arange(len(classes))
    return graph.constant(classes, np.int64)
