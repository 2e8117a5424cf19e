# The operator's image: `docker build -t registry.example.com/ciosync .`
# Pin both images by digest in a pipeline that publishes. The compiler is that of rust-toolchain.toml.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin ciosync

# No shell and no package manager; glibc, whose allocator bears many threads better than musl's, the
# certificates of public authorities, and a user that is not root (65532).
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/target/release/ciosync /usr/local/bin/ciosync
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/ciosync"]
CMD ["controller"]
