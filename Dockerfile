# Two stages: the wheel and its locked dependencies are installed into a virtual environment, which alone is carried over.
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements/runtime.lock requirements/build.lock requirements/
RUN python -m venv /opt/aicost \
 && /opt/aicost/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/runtime.lock \
 && pip install --no-cache-dir --disable-pip-version-check --root-user-action ignore --require-hashes -r requirements/build.lock
COPY pyproject.toml README.md CHANGELOG.md ./
COPY operator operator
RUN pip wheel --no-cache-dir --disable-pip-version-check --no-build-isolation --no-deps --wheel-dir /wheels . \
 && /opt/aicost/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps /wheels/*.whl \
 && /opt/aicost/bin/pip uninstall --yes --quiet pip

FROM python:3.13-slim
LABEL org.opencontainers.image.title="aicost" \
      org.opencontainers.image.description="Kubernetes operator that tells every team what its AI workloads cost, exactly"
COPY --from=build /opt/aicost /opt/aicost
ENV PATH=/opt/aicost/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
ENTRYPOINT ["aicost"]
CMD ["--help"]
