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
RUN mkdir -p /image/data /image/tmp && chown 65532:65532 /image/data && chmod 1777 /image/tmp

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
EXPOSE 8200 4317 4318 8080
# Variables, so that options that are given do not replace these, and that commands in the container find the server and
# its file. It listens beyond loopback, so it asks for a secret: set APM_SECRET_TOKEN, APM_SECRET_TOKEN_FILE or
# APM_API_KEY_FILE.
ENV APM_LISTEN=0.0.0.0:8200 APM_OTLP_LISTEN=0.0.0.0:4318 APM_OTLP_GRPC_LISTEN=0.0.0.0:4317 \
    APM_DATABASE=/data/apm.db LISTEN=0.0.0.0:8080 DATABASE_URL=/data/database.db
ENTRYPOINT ["/pocket-apm"]
CMD ["server"]
# A new version may first rewrite a large file: that time does not count.
HEALTHCHECK --interval=10s --timeout=10s --start-period=30m CMD ["/pocket-apm", "health"]
