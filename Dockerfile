# docker build -t sluiceway . && docker run -p 8192:8192 -v sluiceway:/data sluiceway
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY app app
COPY legacy legacy
COPY migration migration
RUN python -m venv /opt/sluiceway \
    && /opt/sluiceway/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.13-slim
RUN useradd --system --create-home --home-dir /data sluiceway
COPY --from=build /opt/sluiceway /opt/sluiceway
ENV PATH=/opt/sluiceway/bin:$PATH SLUICEWAY_HTTP__HOST=0.0.0.0
USER sluiceway
WORKDIR /data
VOLUME /data
EXPOSE 8192
STOPSIGNAL SIGTERM
HEALTHCHECK CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8192/healthz', timeout=2)"]
CMD ["sluiceway", "serve"]
