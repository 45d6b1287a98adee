# An image that holds the command `trueup` and what it needs, and neither pip nor a compiler. docs/installing.md shows its use.

FROM python:3.13-slim-bookworm AS build
WORKDIR /build
COPY ci/requirements.txt ./
RUN python -m venv --without-pip /opt/trueup \
 && pip --python /opt/trueup/bin/python install --no-cache-dir --require-hashes --only-binary :all: -r requirements.txt
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY schemas schemas
COPY src src
RUN pip --python /opt/trueup/bin/python install --no-cache-dir --no-deps .

FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="trueup" org.opencontainers.image.licenses="Apache-2.0"
RUN pip uninstall --yes --no-cache-dir pip \
 && install --directory --owner 65532 --group 65532 /work
COPY --from=build /opt/trueup /opt/trueup
# The user has no home of its own, also when `docker run --user` names another one.
ENV PATH=/opt/trueup/bin:$PATH HOME=/tmp PYTHONUTF8=1
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["trueup"]
CMD ["--help"]
