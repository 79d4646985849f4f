// One reflection stream: answers a question, remembers which files it has sent. Owned by one call.

using Google.Protobuf.Reflection;
using Grpc.Core;
using OrderEngine.Contracts.Grpc.Reflection.V1;
using Question = OrderEngine.Contracts.Grpc.Reflection.V1.ServerReflectionRequest.MessageRequestOneofCase;

namespace OrderEngine.Server.Protocol;

/// <summary>Answers the questions of one stream, in order. Not thread-safe.</summary>
internal sealed class ReflectionSession(ReflectionIndex index)
{
    private readonly HashSet<string> _sent = [];

    /// <summary>The answer to one question. A question without an answer gets an error response; the stream goes on.</summary>
    public ServerReflectionResponse Answer(ServerReflectionRequest request)
    {
        var response = new ServerReflectionResponse { ValidHost = request.Host, OriginalRequest = request };
        switch (request.MessageRequestCase)
        {
            case Question.ListServices:
                response.ListServicesResponse = new() { Service = { index.Services.Select(s => new ServiceResponse { Name = s }) } };
                break;
            case Question.FileByFilename:
                Send(response, index.FileByName(request.FileByFilename), "This server has no file of that name.");
                break;
            case Question.FileContainingSymbol:
                Send(response, index.FileBySymbol(request.FileContainingSymbol), "This server has no symbol of that name.");
                break;
            case Question.FileContainingExtension:
                var extension = request.FileContainingExtension;
                var declaring = index.FileByExtension(extension.ContainingType, extension.ExtensionNumber);
                Send(response, declaring, "This server has no such extension.");
                break;
            case Question.AllExtensionNumbersOfType:
                var type = request.AllExtensionNumbersOfType;
                if (index.ExtensionNumbers(type) is { } numbers)
                    response.AllExtensionNumbersResponse = new() { BaseTypeName = type, ExtensionNumber = { numbers } };
                else
                    response.ErrorResponse = Error(StatusCode.NotFound, "This server has no message of that name.");
                break;
            default:
                response.ErrorResponse = Error(StatusCode.InvalidArgument, "message_request: none of the questions is set.");
                break;
        }
        return response;
    }

    private void Send(ServerReflectionResponse response, FileDescriptor? file, string missing)
    {
        if (file is null)
        {
            response.ErrorResponse = Error(StatusCode.NotFound, missing);
            return;
        }
        // The file asked for is sent each time: an empty answer would leave a client that asks by symbol without its name.
        var files = response.FileDescriptorResponse = new();
        files.FileDescriptorProto.Add(file.SerializedData);
        _sent.Add(file.Name);
        AddImports(file, files);
    }

    // A file that was sent had its imports sent with it, so the walk stops there.
    private void AddImports(FileDescriptor file, FileDescriptorResponse files)
    {
        foreach (var import in file.Dependencies)
        {
            if (!_sent.Add(import.Name))
                continue;
            files.FileDescriptorProto.Add(import.SerializedData);
            AddImports(import, files);
        }
    }

    private static ErrorResponse Error(StatusCode code, string message) => new() { ErrorCode = (int)code, ErrorMessage = message };
}
