"""Triton servers: a real one where scripts/triton has made it, and one that lies, in this process."""

import contextlib
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from cleancut.models.registry import registry

ROOT = Path(__file__).parents[2]
INSTALLED = (ROOT / ".venv-triton" / ".installed").exists()
REASON = "needs a Triton server of its own; scripts/triton makes it"
SHA256 = registry()["cleancut-small"].weights["network"].sha256


def free_ports(count):
    """Ports that were free a moment ago: Triton takes no port 0."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def real(repository, log, seconds=90):
    """Serve a model repository; give the address."""
    http, grpc = free_ports(2)
    command = ["nice", "-n", "5", str(ROOT / "scripts" / "triton"), str(repository), str(http), str(grpc)]
    with open(log, "wb") as stream, subprocess.Popen(command, stdout=stream, stderr=stream) as process:
        try:
            wait_ready(process, grpc, log, seconds)
            yield f"triton://127.0.0.1:{grpc}"
        finally:
            process.kill()


def wait_ready(process, port, log, seconds):
    import tritonclient.grpc as client
    from tritonclient.utils import InferenceServerException

    ends = time.monotonic() + seconds
    with client.InferenceServerClient(f"127.0.0.1:{port}") as asked:
        while time.monotonic() < ends:
            assert process.poll() is None, Path(log).read_text()[-3000:]
            with contextlib.suppress(InferenceServerException):
                if asked.is_server_ready(client_timeout=1):
                    return
            time.sleep(0.1)
    raise AssertionError(Path(log).read_text()[-3000:])


class Liar:
    """A server of `cleancut-small` that answers what a test says; the truth by default, an alpha of one half.

    Attributes:
        answer: takes the request's image; gives arrays by output.
        asked: versions of the requests to run.
        failures: statuses to fail with first, one a request.
    """

    def __init__(self):
        self.versions, self.version, self.sha256 = ["1"], None, SHA256
        self.most, self.inputs, self.outputs = 16, {"image": (3, 320, 320)}, {"alpha": (1, 320, 320)}
        self.answer = lambda image: {"alpha": np.full((len(image), 1, 320, 320), 0.5, np.float32)}
        self.precision, self.asked, self.failures, self.seconds, self.damage = None, [], [], 0, None
        self.pids = []

    @contextlib.contextmanager
    def serving(self):
        import grpc
        from tritonclient.grpc import service_pb2_grpc

        names = ("ModelMetadata", "ModelConfig", "ModelInfer")
        kinds = {name: getattr(self, name) for name in names}
        servicer = type("Servicer", (service_pb2_grpc.GRPCInferenceServiceServicer,), {})()
        for name, method in kinds.items():
            setattr(servicer, name, method)
        server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", -1)])
        service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"triton://127.0.0.1:{port}"
        finally:
            server.stop(None).wait()

    def ModelMetadata(self, request, context):  # noqa: N802 - gRPC's name
        from tritonclient.grpc import service_pb2 as pb

        return pb.ModelMetadataResponse(name=request.name, versions=self.versions)

    def ModelConfig(self, request, context):  # noqa: N802 - gRPC's name
        from tritonclient.grpc import model_config_pb2 as model
        from tritonclient.grpc import service_pb2 as pb

        config = model.ModelConfig(name=request.name, max_batch_size=self.most)
        for ports, stated in ((config.input, self.inputs), (config.output, self.outputs)):
            for name, dims in stated.items():
                ports.add(name=name, dims=dims)
        if self.sha256:
            config.parameters["cleancut.sha256"].string_value = self.sha256
            config.parameters["cleancut.version"].string_value = self.version or request.version
        if self.precision:
            one = config.optimization.execution_accelerators.gpu_execution_accelerator.add(name="tensorrt")
            one.parameters["precision_mode"] = self.precision
        return pb.ModelConfigResponse(config=config)

    def ModelInfer(self, request, context):  # noqa: N802 - gRPC's name
        from tritonclient.grpc import service_pb2 as pb

        self.asked.append(request.model_version)
        if self.failures:
            context.abort(self.failures.pop(0), "on purpose")
        time.sleep(self.seconds)
        image = np.frombuffer(request.raw_input_contents[0], np.float32).reshape(request.inputs[0].shape)
        response = pb.ModelInferResponse(model_name=request.model_name, model_version=request.model_version)
        for name, array in self.answer(image).items():
            kind = "FP32" if array.dtype == np.float32 else "INT32"
            response.outputs.add(name=name, datatype=kind, shape=array.shape)
            response.raw_output_contents.append(array.tobytes())
        if self.damage:
            self.damage(response)
        return response
