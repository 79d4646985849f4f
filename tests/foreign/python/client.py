"""A seller's adapter written with nothing but the contract and Debian's gRPC packages: proves that the engine speaks plain gRPC.

The system tests run it; what it prints (one JSON object a line) is what they check. STUBS is an empty folder for generated code.

  client.py submit STUBS ADDRESS PREFIX   submit, retry, refusals with their details, an order stream
  client.py watch  STUBS ADDRESS COUNT    follow all orders until COUNT events came, across breaks, by resume token
  client.py once   STUBS ADDRESS PREFIX   submit one order
  client.py busy   STUBS ADDRESS          ask for one watch more than the engine allows
"""
import glob
import json
import os
import sys

import grpc
import grpc_tools
from grpc_tools import protoc

PROTO = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../proto"))
DEADLINE = 30  # seconds, for every call but a watch


def generate(stubs):
    """Python classes from the contract, as any adapter would make them."""
    files = glob.glob(PROTO + "/orderengine/**/*.proto", recursive=True) + glob.glob(PROTO + "/google/rpc/*.proto")
    names = [os.path.relpath(name, PROTO) for name in files]
    well_known = os.path.join(os.path.dirname(grpc_tools.__file__), "_proto")
    if protoc.main(["protoc", "-I", PROTO, "-I", well_known, "--python_out", stubs, "--grpc_python_out", stubs, *names]) != 0:
        sys.exit("protoc failed")
    sys.path.insert(0, stubs)


def dial(address, options=None):
    """In the clear; or over TLS with a key, where the environment names the authority's file and the key."""
    authority, key = os.environ.get("ORDERENGINE_CA"), os.environ.get("ORDERENGINE_CREDENTIAL")
    if not authority:
        return grpc.insecure_channel(address, options=options)
    with open(authority, "rb") as file:
        tls = grpc.ssl_channel_credentials(file.read())
    return grpc.secure_channel(address, grpc.composite_channel_credentials(tls, grpc.access_token_call_credentials(key)), options=options)


def say(**fields):
    print(json.dumps(fields), flush=True)


def describe(status):
    """google.rpc.Status with the details this client knows, as plain values."""
    out = {"code": status.code, "message": status.message, "fields": [], "shortages": []}
    for detail in status.details:
        info, bad, retry, shortage = ErrorInfo(), BadRequest(), RetryInfo(), StockShortage()
        if detail.Unpack(info):
            out.update(reason=info.reason, domain=info.domain)
        elif detail.Unpack(bad):
            out["fields"] = [violation.field for violation in bad.field_violations]
        elif detail.Unpack(retry):
            out["retryDelayMs"] = retry.retry_delay.ToMilliseconds()
        elif detail.Unpack(shortage):
            out["shortages"].append({"sku": shortage.sku_id, "requested": shortage.requested, "available": shortage.available,
                                     "missing": shortage.missing, "lines": list(shortage.line_numbers)})
    return out


def describe_error(error):
    trailers = dict(error.trailing_metadata() or ())
    status = Status(code=error.code().value[0], message=error.details())
    if "grpc-status-details-bin" in trailers:
        status = Status.FromString(trailers["grpc-status-details-bin"])
    return {**describe(status), "grpcCode": error.code().value[0]}


def draft(external_id, lines):
    return orders_pb2.OrderDraft(
        channel_id="WEB", external_order_id=external_id, currency_code="GBP",
        allocation_policy=common_pb2.ALLOCATION_POLICY_ALL_OR_NOTHING,
        lines=[orders_pb2.OrderLineDraft(sku_id=sku, quantity=quantity, unit_price_minor=250) for sku, quantity in lines])


def request(request_id, lines, external_id=None):
    return orders_pb2.SubmitOrderRequest(request_id=request_id, order=draft(external_id or request_id, lines))


def submit_step(step, stub, message):
    try:
        answer = stub.SubmitOrder(message, timeout=DEADLINE)
        say(step=step, orderId=answer.order_id, sequence=answer.sequence, state=common_pb2.OrderState.Name(answer.state),
            replayed=answer.replayed)
    except grpc.RpcError as error:
        say(step=step, refused=describe_error(error))


def submit(address, prefix):
    with dial(address) as channel:
        stub = orders_pb2_grpc.OrderServiceStub(channel)
        first = request(prefix + "-1", [("TEA", 2), ("CUP", 1)])
        submit_step("accepted", stub, first)
        submit_step("retried", stub, first)
        submit_step("shortage", stub, request(prefix + "-2", [("CUP", 900000), ("CUP", 900000)]))
        submit_step("malformed", stub, request(prefix + "-3", [("TEA", 0)]))
        submit_step("reused", stub, request(prefix + "-1", [("TEA", 3)]))

        # Two orders in one message, one of them refused, then a third in a message of its own.
        def order(seq, lines):
            return orders_pb2.StreamedOrder(client_seq=seq, request=request(f"{prefix}-s{seq}", lines))

        messages = [[order(1, [("TEA", 1)]), order(2, [("CUP", 1000000)])], [order(3, [("TEA", 1)])]]
        results = []
        for message in stub.StreamSubmitOrders((orders_pb2.StreamSubmitOrdersRequest(orders=m) for m in messages), timeout=DEADLINE):
            for result in message.results:
                if result.WhichOneof("result") == "accepted":
                    results.append({"seq": result.client_seq, "state": common_pb2.OrderState.Name(result.accepted.state)})
                else:
                    results.append({"seq": result.client_seq, "refused": describe(result.refused)})
        say(step="stream", results=results)


def once(address, prefix):
    with dial(address) as channel:
        submit_step("accepted", orders_pb2_grpc.OrderServiceStub(channel), request(prefix + "-1", [("TEA", 2), ("CUP", 1)]))


def watch(address, count):
    """Follows from now on; after a break it dials again and goes on from the last token."""
    options = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200), ("grpc.min_reconnect_backoff_ms", 50)]
    token, seen = "", 0
    with dial(address, options) as channel:
        stub = tracking_pb2_grpc.TrackingServiceStub(channel)
        while seen < count:
            wanted = tracking_pb2.WatchOrdersRequest(resume_token=token, filter=tracking_pb2.WatchFilter(channel_ids=["WEB"]))
            stream = stub.WatchOrders(wanted, wait_for_ready=True)
            try:
                stream.initial_metadata()
                say(step="open")
                for message in stream:
                    for event in message.events.events:
                        seen += 1
                        say(step="event", sequence=event.sequence, externalId=event.external_order_id,
                            state=common_pb2.OrderState.Name(event.state_after))
                    token = message.resume_token
                    if seen >= count:
                        stream.cancel()
                        break
            except grpc.RpcError as error:
                say(step="break", **describe_error(error))
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise


def busy(address):
    """Beyond the limit: refused at once, with the delay after which to come again."""
    with dial(address) as channel:
        try:
            for _ in tracking_pb2_grpc.TrackingServiceStub(channel).WatchOrders(tracking_pb2.WatchOrdersRequest(), timeout=DEADLINE):
                pass
        except grpc.RpcError as error:
            say(step="busy", refused=describe_error(error))


mode, folder, *arguments = sys.argv[1:]
generate(folder)

from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo  # noqa: E402 (generated above)
from google.rpc.status_pb2 import Status  # noqa: E402
from orderengine.v1 import common_pb2, orders_pb2, orders_pb2_grpc, tracking_pb2, tracking_pb2_grpc  # noqa: E402
from orderengine.v1.errors_pb2 import StockShortage  # noqa: E402

if mode == "submit":
    submit(arguments[0], arguments[1])
elif mode == "once":
    once(arguments[0], arguments[1])
elif mode == "watch":
    watch(arguments[0], int(arguments[1]))
elif mode == "busy":
    busy(arguments[0])
else:
    sys.exit(__doc__)
