'use strict';
// What EventGate is given to do what Sluiceway does in the same scenarios: `eventgate_factory_module`
// of its settings. Validation is EventGate's own; stream configuration, the fields that are set and
// the look at the schema's title follow what Wikimedia documents of its own factory.
//
// Where events go: BENCH_KAFKA=HOST:PORT to Kafka, through librdkafka; BENCH_SERIALIZE=1 nowhere, but
// written as JSON, as Sluiceway does before any sink; otherwise nowhere.

const _ = require('lodash');
const fs = require('fs');
const yaml = require('js-yaml');
const { v4: uuidv4 } = require('uuid');
const { uriGetFirstObject } = require('@wikimedia/url-get');
const EventValidator = require('./lib/EventValidator');
const { EventGate } = require('./lib/eventgate');
const { makeExtractField, objectGet } = require('./lib/event-util');
const { ValidationError } = require('./lib/error');

class UnauthorizedError extends Error {}

function validating(options, logger) {
    const streamOf = makeExtractField(options.stream_field);
    const streams = yaml.safeLoad(fs.readFileSync(options.stream_config_uri, 'utf8'));
    const fromHeaders = _.mapValues(streams, (config) =>
        _.map(config.enrich_fields_from_http_headers, (header, field) => ({
            header: header.toLowerCase(),
            path: field.split('.')
        }))
    );
    const validator = new EventValidator({
        extractSchemaUri: makeExtractField(options.schema_uri_field),
        getSchema: (uri) =>
            uriGetFirstObject(uri, options.schema_base_uris, options.schema_file_extension),
        log: logger
    });

    return async (event, context) => {
        const stream = streamOf(event);
        const config = streams[stream];
        if (!config) {
            throw new UnauthorizedError(`${stream} is not a configured stream.`);
        }
        const schema = await validator.schemaFor(event);
        if (objectGet(schema, 'title') !== config.schema_title) {
            throw new UnauthorizedError(`${stream} takes only ${config.schema_title}.`);
        }
        const headers = context.req.headers;
        const found = [
            [['meta', 'dt'], new Date().toISOString()],
            [['meta', 'id'], uuidv4()],
            [['meta', 'request_id'], headers['x-request-id']],
            ...fromHeaders[stream].map(({ header, path }) => [path, headers[header]])
        ];
        for (const [path, value] of found) {
            if (value !== undefined && !_.has(event, path)) {
                _.set(event, path, value);
            }
        }
        return validator.validate(event);
    };
}

function toKafka(brokers) {
    const { HighLevelProducer } = require('node-rdkafka');
    const producer = new HighLevelProducer({
        'metadata.broker.list': brokers,
        'request.required.acks': -1,
        'compression.codec': 'snappy',
        'linger.ms': 5
    });
    producer.setPollInterval(10);
    const connected = new Promise((resolve, reject) =>
        producer.connect({}, (error) => (error ? reject(error) : resolve()))
    );
    return async (event) => {
        await connected;
        const value = Buffer.from(JSON.stringify(event));
        return new Promise((resolve, reject) =>
            producer.produce(event.meta.stream, null, value, null, Date.now(), (error, offset) =>
                error ? reject(error) : resolve(offset)
            )
        );
    };
}

const serialized = (event) => Promise.resolve(Buffer.from(JSON.stringify(event)).length);
const nowhere = () => Promise.resolve();

async function factory(options, logger) {
    const brokers = process.env.BENCH_KAFKA;
    const written = process.env.BENCH_SERIALIZE === '1' ? serialized : nowhere;
    return new EventGate({
        validate: validating(options, logger),
        produce: brokers ? toKafka(brokers) : written,
        log: logger
    });
}

module.exports = { factory, ValidationError };
