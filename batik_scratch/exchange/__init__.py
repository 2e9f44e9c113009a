"""Models from and for other programs: Keras' files and ONNX."""

from .files import export_model, import_model
from .keras_read import from_keras
from .keras_write import to_keras
from .onnx_read import from_onnx
from .onnx_write import to_onnx

__all__ = ["export_model", "from_keras", "from_onnx", "import_model", "to_keras", "to_onnx"]
