# The project's commands, with the versions of requirements.lock: docs/how-to/docker.md describes their use.
# By digest, which always names the same image: python:3.13-slim of 5 August 2026, as docker-library/repo-info records it.
FROM python:3.13-slim@sha256:9662417aace5ae7b8e2609cce472b72a8958e134ba372808abe9cc1a0c0125e6

ENV DO_NOT_TRACK=1
WORKDIR /project

# A layer of its own, which a change of the code leaves as it is. What runs here may not write beside the packages, so
# that they are compiled now.
COPY requirements.lock pyproject.toml ./
RUN sed -nE '/^(setuptools|uv)==/,/[^\\]$/p' requirements.lock > /tmp/uv.txt \
    && pip install --quiet --no-cache-dir --require-hashes --requirement /tmp/uv.txt \
    && uv pip install --quiet --system --no-cache --compile-bytecode \
        --require-hashes --constraints requirements.lock --requirements pyproject.toml \
        --extra dask --extra hierarchy --extra keras --extra mlflow --extra openlineage --extra postgres --extra ray --extra s3

COPY README.md LICENSE ./
COPY conf conf
COPY src src
RUN uv pip install --quiet --system --no-cache --no-deps --no-build-isolation --editable . \
    && python -m compileall -q src \
    && useradd --create-home kedro \
    && mkdir --parents data .viz conf/local \
    && chown kedro data .viz

USER kedro
VOLUME /project/data
ENTRYPOINT ["kedro"]
CMD ["champion", "--help"]
