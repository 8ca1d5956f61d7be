# A static binary, and an image that holds nothing else that runs.
#
#     docker build --target binary --output dist .     # dist/pocket-apm
#     docker build --tag pocket-apm .                  # the image
FROM rust:1-alpine AS build
RUN apk add --no-cache build-base ca-certificates tzdata
WORKDIR /build
COPY . .
# The targets of Alpine link statically; build.rs has the linker compress the debug information.
RUN cargo build --profile dist --locked
RUN mkdir -p /image/data /image/tmp && chown 65532:65532 /image/data /image/tmp

FROM scratch AS binary
COPY --from=build /build/target/dist/pocket-apm /

FROM scratch
# Roots for TLS to other servers, and time zones for the pages.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /usr/share/zoneinfo /usr/share/zoneinfo
COPY --from=build /image /
COPY --from=binary /pocket-apm /
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8200 4317 4318
# It listens beyond loopback, so it asks for a secret: set APM_SECRET_TOKEN, APM_SECRET_TOKEN_FILE or APM_API_KEY_FILE.
ENTRYPOINT ["/pocket-apm"]
CMD ["server", "--apm-listen", "0.0.0.0:8200", "--apm-otlp-listen", "0.0.0.0:4318", \
    "--apm-otlp-grpc-listen", "0.0.0.0:4317", "--apm-database", "/data/apm.db"]
