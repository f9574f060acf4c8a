# docker build -t sluiceway . && docker run --read-only --tmpfs /tmp --cap-drop ALL \
#   --security-opt no-new-privileges -p 8192:8192 -v sluiceway:/data sluiceway
# See docs/container.md.
FROM python:3.13.9-slim-trixie AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY app app
COPY legacy legacy
COPY migration migration
# What is installed is code and its libraries: pip itself stays here.
RUN python -m venv --without-pip /opt/sluiceway \
    && pip --python /opt/sluiceway/bin/python install --no-cache-dir --constraint constraints.txt .

FROM python:3.13.9-slim-trixie
RUN pip uninstall --yes pip \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /data \
        --shell /usr/sbin/nologin sluiceway \
    && install --directory --owner 10001 --group 10001 /data
COPY --from=build /opt/sluiceway /opt/sluiceway
ENV PATH=/opt/sluiceway/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    SLUICEWAY_HTTP__HOST=0.0.0.0 \
    SLUICEWAY_LOG__FORMAT=json
# A number, so that an orchestrator can see that it is not root's.
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8192
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8192/healthz', timeout=2)"]
CMD ["sluiceway", "serve"]
