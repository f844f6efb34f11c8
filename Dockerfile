# The hosted demo in one image. On a virtual machine compose.yaml puts a proxy before it; a Hugging Face Docker Space runs it as it is.
FROM python:3.11-slim-bookworm

# numba's compiled loops run safely side by side only with OpenMP.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --create-home --home-dir /lab visitor

WORKDIR /lab/app
# torch for processors, from its own index: the default wheels bring several gigabytes of CUDA along. The pair that the tests run with.
# That index is trusted for these two; all else comes as requirements.lock says, digest by digest, and pip looks whether it fits.
RUN pip install --no-cache-dir --no-deps --index-url https://download.pytorch.org/whl/cpu torch==2.15.0 torchvision==0.29.2
COPY requirements.txt requirements.lock ./
RUN pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r requirements.lock && pip check
COPY app.py LICENSE README.md ./
COPY .streamlit .streamlit
COPY assets assets
COPY core core
COPY pages pages
RUN python -m compileall -q core pages && mkdir /lab/data /lab/cache /lab/numba && chown visitor /lab/data /lab/cache /lab/numba
USER 1000

ENV LEVERAGE_LAB_HOSTED=1 \
    LEVERAGE_LAB_DATA=/lab/data \
    LEVERAGE_LAB_CACHE=/lab/cache \
    LEVERAGE_LAB_CACHE_GB=2 \
    NUMBA_CACHE_DIR=/lab/numba \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2 \
    PORT=7860
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD python -c "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/_stcore/health', timeout=4)"
CMD ["sh", "-c", "exec uvicorn pages.shared.server:app --host 0.0.0.0 --port ${PORT} --no-server-header --http pages.shared.serving.slow_requests:Impatient --ws-per-message-deflate false --timeout-graceful-shutdown 5"]
