# The project's commands, with the versions of requirements.lock: docs/operations.md says how to use it.
FROM python:3.13-slim

ENV DO_NOT_TRACK=1 TF_CPP_MIN_LOG_LEVEL=2
WORKDIR /project

# A layer of its own, which a change of the code leaves as it is.
COPY requirements.lock ./
RUN pip install --quiet --no-cache-dir --require-hashes -r requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY conf conf
COPY src src
RUN pip install --quiet --no-deps --no-build-isolation --editable . \
    && useradd --create-home kedro \
    && mkdir --parents data .viz conf/local \
    && chown kedro data .viz

USER kedro
VOLUME /project/data
ENTRYPOINT ["kedro"]
CMD ["champion", "--help"]
