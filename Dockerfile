# The engine in a container: not root, a root file system that may be read-only, everything it keeps under /data.
#
#   docker build --tag orderengine .
#   docker run --read-only --volume orders:/data --volume ./tls:/tls:ro --publish 5080:5080 --publish 127.0.0.1:9464:9464 orderengine
#   docker exec NAME dotnet /app/orderctl/orderctl.dll health
#
# /tls/server.pem holds the certificate, its chain and its key. Without it, and without an API key, it does not start; make one with
#   docker run --rm --volume orders:/data --entrypoint dotnet orderengine /app/orderctl/orderctl.dll \
#     keys create NAME --all-channels --scopes admin,stock --file /data/api-keys.json
#
# tests/OrderEngine.System.Tests/ContainerTests.cs carries out these very steps without a container engine.

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /src
# Only what a restore reads: this layer is made again when a package changes, not with every change of the code.
COPY global.json Directory.Build.props Directory.Packages.props ./
COPY src/Directory.Build.props src/
COPY src/Feed/Directory.Build.props src/Feed/Grpc.targets src/Feed/
COPY src/Feed/Grpc.Core.Api/Grpc.Core.Api.csproj src/Feed/Grpc.Core.Api/packages.lock.json src/Feed/Grpc.Core.Api/
COPY src/Feed/Grpc.Net.Common/Grpc.Net.Common.csproj src/Feed/Grpc.Net.Common/packages.lock.json src/Feed/Grpc.Net.Common/
COPY src/OrderEngine.Access/OrderEngine.Access.csproj src/OrderEngine.Access/packages.lock.json src/OrderEngine.Access/
COPY src/OrderEngine.Contracts/OrderEngine.Contracts.csproj src/OrderEngine.Contracts/packages.lock.json src/OrderEngine.Contracts/
COPY src/OrderEngine.Core/OrderEngine.Core.csproj src/OrderEngine.Core/packages.lock.json src/OrderEngine.Core/
COPY src/OrderEngine.Journal/OrderEngine.Journal.csproj src/OrderEngine.Journal/packages.lock.json src/OrderEngine.Journal/
COPY src/OrderEngine.Engine/OrderEngine.Engine.csproj src/OrderEngine.Engine/packages.lock.json src/OrderEngine.Engine/
COPY src/OrderEngine.Server/OrderEngine.Server.csproj src/OrderEngine.Server/packages.lock.json src/OrderEngine.Server/
COPY src/OrderEngine.Client/OrderEngine.Client.csproj src/OrderEngine.Client/packages.lock.json src/OrderEngine.Client/
COPY src/OrderEngine.Cli/OrderEngine.Cli.csproj src/OrderEngine.Cli/packages.lock.json src/OrderEngine.Cli/
RUN dotnet restore src/OrderEngine.Server --locked-mode && dotnet restore src/OrderEngine.Cli --locked-mode
# The analyzers' rules are part of the build.
COPY .editorconfig ./
COPY proto/ proto/
COPY src/ src/
RUN dotnet publish src/OrderEngine.Server --no-restore --configuration Release --output /app/server
RUN dotnet publish src/OrderEngine.Cli --no-restore --configuration Release --output /app/orderctl
# What is in it, package by package.
COPY build/ build/
RUN dotnet run build/sbom.cs -- /app/server/sbom.json src/OrderEngine.Server
RUN dotnet run build/sbom.cs -- /app/orderctl/sbom.json src/OrderEngine.Cli
RUN mkdir /data

FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled
COPY --from=build /app /app
# A new volume takes over this owner.
COPY --from=build --chown=1654:1654 /data /data
# Containers run in Production: TLS and credentials. TLS looks
# into HOME for the user's own authorities, and fails where there is no HOME; there need be nothing in it. Nothing is written outside /data: the runtime's diagnostics would want a socket in /tmp.
ENV ASPNETCORE_ENVIRONMENT=Production \
    ASPNETCORE_URLS=https://0.0.0.0:5080 \
    OrderEngine__TlsCertificate=/tls/server.pem \
    OrderEngine__DataDirectory=/data \
    HOME=/home/app \
    OrderEngine__MetricsAddress=0.0.0.0 \
    OrderEngine__MetricsPort=9464 \
    DOTNET_EnableDiagnostics=0
# The image's own user "app".
USER 1654:1654
VOLUME /data
EXPOSE 5080 9464
# A long journal takes a while to read; until then the engine takes no orders, and counts as unhealthy.
HEALTHCHECK --interval=30s --timeout=10s --start-period=5m --start-interval=2s --retries=3 \
    CMD ["dotnet", "/app/orderctl/orderctl.dll", "health", "--metrics", "http://127.0.0.1:9464"]
ENTRYPOINT ["dotnet", "/app/server/OrderEngine.Server.dll"]
