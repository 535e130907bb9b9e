# lrlab in a container, built from its wheel:
#   docker build -t lrlab .
#   docker run --rm -v "$PWD:/work" --user "$(id -u):$(id -g)" lrlab compare configs/*.yaml
FROM python:3.12-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY lrlab lrlab
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12-slim
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir /wheels/*.whl \
    && rm -r /wheels \
    && useradd --create-home --uid 1000 lrlab \
    && install --directory --owner lrlab /work
USER 1000
# Whoever runs it may have no home in here; what matplotlib and Keras keep goes to a place for all.
ENV HOME=/tmp
WORKDIR /work
ENTRYPOINT ["lrlab"]
CMD ["--help"]
