// Holds what was said against src/hub/contract.
//   node contract.mjs traffic FILE          what traffic.py kept: every message, every answer
//   node contract.mjs documents             the documents themselves, and the examples of docs/PROTOCOL.md; TAP
//   node contract.mjs alerts RULES METRICS  every series that a rule asks for is one of those; TAP
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const require = createRequire(import.meta.url);
const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const CONTRACT = path.join(ROOT, 'src/hub/contract');
const BASE = 'http://gloss/'; // where it is served; nobody asks there
const SHOWN = 10;
const SHOWN_CHARACTERS = 600;

function readJson(...parts) {
    return JSON.parse(fs.readFileSync(path.join(...parts), 'utf8'));
}

// ---- schemas ----

class Contract {
    constructor() {
        this.ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true });
        addFormats(this.ajv);
        this.openapi = readJson(CONTRACT, 'openapi.json');
        this.asyncapi = readJson(CONTRACT, 'asyncapi.json');
        this.names = fs.readdirSync(path.join(CONTRACT, 'schema')).map((name) => `schema/${name}`);
        this.documents = new Map();
        for (const name of this.names) {
            const document = readJson(CONTRACT, name);
            this.documents.set(name, document);
            this.ajv.addSchema(document, BASE + name);
        }
        this.compiled = new Map();
        this.paths = Object.entries(this.openapi.paths).map(([template, item]) => ({
            template,
            pattern: patternOf(template),
            item: this.resolve(item),
        }));
        // The one with the fewest parameters is meant.
        this.paths.sort((a, b) => a.template.split('{').length - b.template.split('{').length);
    }

    /** Of openapi.json itself. */
    resolve(value) {
        if (!value?.$ref?.startsWith('#/')) {
            return value;
        }
        return this.resolve(value.$ref.slice(2).split('/').reduce((at, key) => at?.[key], this.openapi));
    }

    compile(schema) {
        const key = JSON.stringify(schema);
        if (!this.compiled.has(key)) {
            const whole = schema.$ref ? { ...schema, $ref: new URL(schema.$ref, BASE).href } : schema;
            this.compiled.set(key, this.ajv.compile(whole));
        }
        return this.compiled.get(key);
    }

    /** Null when it is as it must be; else what is wrong. */
    fault(schema, value) {
        const validate = this.compile(schema);
        if (validate(value)) {
            return null;
        }
        const errors = validate.errors.map((e) => `${e.instancePath || 'it'} ${e.message} ${JSON.stringify(e.params)}`);
        return [...new Set(errors)].slice(0, 4).join('; ');
    }

    has(name, def) {
        return Boolean(this.documents.get(`schema/${name}.json`)?.$defs?.[def]);
    }

    faultOf(name, def, value) {
        if (def && !this.has(name, def)) {
            return `${name}.json describes no ${def}: do so in src/hub/contract`;
        }
        return this.fault({ $ref: `schema/${name}.json${def ? `#/$defs/${def}` : ''}` }, value);
    }
}

/** Of a path with {parameters}; a key may hold slashes. */
function patternOf(template) {
    const parts = template.split(/(\{[^}]*\})/).map((part) => {
        if (part.startsWith('{')) {
            return part === '{key}' ? '.+' : '[^/]+';
        }
        return part.replace(/[\\^$.*+?()[\]|]/g, '\\$&');
    });
    return new RegExp(`^${parts.join('')}$`);
}

/** One WebSocket: an answer is held against the schema of its request's action. */
class Conversation {
    constructor(contract) {
        this.contract = contract;
        this.asked = new Map(); // request_id → requests without an answer, the oldest first
    }

    said(text) {
        let message;
        try {
            message = JSON.parse(text);
        } catch {
            return; // a test of what cannot be read
        }
        const id = JSON.stringify(message?.request_id ?? null);
        this.asked.set(id, [...(this.asked.get(id) ?? []), message]);
    }

    /** Null, or the fault. A request is only held against the contract when the engine took it. */
    answered(message) {
        const asked = this.asked.get(JSON.stringify(message.request_id ?? null)) ?? [];
        const isClear = new Set(asked.map((request) => request?.action)).size === 1; // without ids several may be meant
        const request = asked.shift();
        if (message.success !== true) {
            return this.contract.faultOf('response', 'failure', message);
        }
        const action = request?.action;
        if (typeof action !== 'string' || !isClear) {
            return this.contract.faultOf('response', 'success', message);
        }
        return this.contract.faultOf('response', action, message) ??
            prefixed(`the request ${JSON.stringify(request).slice(0, 300)}: `,
                this.contract.faultOf('request', action, request));
    }

    heard(message) {
        if (message?.specversion !== undefined) {
            return this.contract.faultOf('cloudevent', '', message);
        }
        switch (message?.type) {
        case 'system':
            return this.contract.faultOf('system', message.reason === 'damaged' ? 'damaged' : 'hello', message);
        case 'event':
            return this.contract.faultOf('event', message.event_type, message);
        case 'response':
            return this.answered(message);
        default:
            return `there is no type ${JSON.stringify(message?.type)}`;
        }
    }
}

function prefixed(prefix, fault) {
    return fault && prefix + fault;
}

/** Null, or the fault of an answer over HTTP. */
function faultOfAnswer(contract, { http, path: address, status, type, body }) {
    if (type.startsWith('application/problem+json') && body) {
        return contract.faultOf('problem', '', JSON.parse(body));
    }
    if (address === null || http === 'HEAD' || http === 'OPTIONS') {
        return null;
    }
    // As it is served: without dots and doubled slashes.
    const where = new URL('http://gloss' + address.split('?')[0].replace(/%2f/gi, '/').replace(/\/+/g, '/')).pathname;
    const found = contract.paths.find((p) => p.pattern.test(where) && p.item[http.toLowerCase()]);
    if (!found) {
        return status >= 400 ? null : `openapi.json describes no ${http} of ${where}`;
    }
    const responses = found.item[http.toLowerCase()].responses;
    const response = contract.resolve(responses[status] ?? responses.default);
    const content = response?.content?.[type];
    if (!content) {
        return body || type ? `openapi.json describes no ${status} with ${type || 'nothing'} at ${found.template}` : null;
    }
    if (type.startsWith('text/html') || type.startsWith('text/plain')) {
        return null;
    }
    if (type.startsWith('application/x-ndjson')) {
        const faults = body.split('\n').filter(Boolean).map((line) => contract.fault(content.schema, JSON.parse(line)));
        return faults.find(Boolean) ?? null;
    }
    if (type.startsWith('text/event-stream')) {
        return faultOfStream(contract, content.schema, body);
    }
    return contract.fault(content.schema, JSON.parse(body));
}

/** The data of each event of a text/event-stream; what was cut off at its end counts not. */
function faultOfStream(contract, schema, body) {
    for (const block of body.split('\n\n').slice(0, -1)) {
        const data = block.split('\n').filter((l) => l.startsWith('data:')).map((l) => l.slice(5).trimStart());
        const fault = data.length ? contract.fault(schema, JSON.parse(data.join('\n'))) : null;
        if (fault) {
            return fault;
        }
    }
    return null;
}

function checkTraffic(file) {
    const contract = new Contract();
    const conversations = new Map();
    const faults = new Map();
    let count = 0;
    for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
        if (!line) {
            continue;
        }
        const kept = JSON.parse(line);
        const tell = (fault, text) => {
            count++;
            if (fault && !faults.has(fault)) {
                faults.set(fault, text.slice(0, SHOWN_CHARACTERS));
            }
        };
        if (kept.http !== undefined) {
            tell(faultOfAnswer(contract, kept), `${kept.http} ${kept.path}: ${kept.status} ${kept.body}`);
            continue;
        }
        if (!conversations.has(kept.socket)) {
            conversations.set(kept.socket, new Conversation(contract));
        }
        const conversation = conversations.get(kept.socket);
        if (kept.said !== undefined) {
            kept.said.split('\n').filter((text) => text.trim()).forEach((text) => conversation.said(text));
        } else if (kept.heard !== undefined) {
            kept.heard.split('\n').forEach((text) => tell(conversation.heard(JSON.parse(text)), text));
        }
    }
    for (const [fault, text] of [...faults].slice(0, SHOWN)) {
        console.log(`${fault}\n    ${text}`);
    }
    if (faults.size > 0) {
        console.log(`${faults.size} kinds of faults in ${count} messages; the contract is src/hub/contract`);
    }
    return faults.size === 0 ? 0 : 1;
}

// ---- TAP ----

let points = 0;
let failed = 0;

function point(name, faults) {
    const list = [faults].flat().filter(Boolean);
    console.log(`${list.length ? 'not ok' : 'ok'} ${++points} - ${name}`);
    list.forEach((fault) => console.log(`# ${String(fault).split('\n').join('\n# ')}`));
    failed += list.length > 0;
}

function faultsOf(validate, value) {
    return validate(value) ? [] : validate.errors.slice(0, 5).map((e) => `${e.instancePath} ${e.message}`);
}

/** The JSON values of a text, one behind the other. */
function valuesOf(text) {
    const values = [];
    let depth = 0;
    let start = 0;
    let isText = false;
    for (let i = 0; i < text.length; i++) {
        if (isText) {
            i += text[i] === '\\';
            isText = text[i] !== '"';
        } else if (text[i] === '"') {
            isText = true;
        } else if ('{['.includes(text[i])) {
            start = depth++ ? start : i;
        } else if ('}]'.includes(text[i]) && --depth === 0) {
            values.push(JSON.parse(text.slice(start, i + 1)));
        }
    }
    return values;
}

/** What an example in the text is, and what is wrong with it. */
function faultOfExample(contract, conversation, value) {
    if (value.action !== undefined) {
        conversation.said(JSON.stringify(value));
        return contract.faultOf('request', value.action, value);
    }
    if (value.type && ['system', 'event', 'response'].includes(value.type) || value.specversion) {
        return conversation.heard(value);
    }
    if (['result', 'done', 'error'].includes(value.type)) {
        return contract.faultOf('lines', 'found', value);
    }
    if (value.type?.startsWith?.('/problems/')) {
        return contract.faultOf('problem', '', value);
    }
    if (value.op || value.range && value.rev === undefined) {
        return contract.faultOf('ingest', 'line', value);
    }
    if (value.next && value.events) {
        return contract.faultOf('stream', 'poll', value);
    }
    if (value.job_id) {
        return contract.faultOf('job', '', value);
    }
    if (value.key && value.rev !== undefined) {
        return contract.faultOf('entity', 'hover' in value ? 'entity' : 'found', value);
    }
    return 'it is of no kind that the contract knows';
}

/** Sections of docs/PROTOCOL.md whose examples are of another protocol: a file, LSP. */
const OTHERS = new Set(['Finding the engine', 'Hovers from an editor']);

function faultsOfExamples(contract) {
    const faults = [];
    let section = '';
    let count = 0;
    const text = fs.readFileSync(path.join(ROOT, 'docs/PROTOCOL.md'), 'utf8');
    for (const [, heading, block] of text.matchAll(/^#+ (.*)$|^```json\n([\s\S]*?)^```$/gm)) {
        section = heading ?? section;
        if (!block || OTHERS.has(section)) {
            continue;
        }
        const conversation = new Conversation(contract);
        try {
            for (const value of valuesOf(block)) {
                count++;
                faults.push(prefixed(`${section}: ${JSON.stringify(value).slice(0, 200)}: `,
                    faultOfExample(contract, conversation, value)));
            }
        } catch (why) {
            faults.push(`${section}: ${why.message}: ${block.slice(0, 200)}`);
        }
    }
    return count > 5 ? faults : ['there are no examples in docs/PROTOCOL.md'];
}

/** Every schema that a document names must be one that can be compiled. */
function referencesOf(value, found = new Set()) {
    if (value && typeof value === 'object') {
        if (typeof value.$ref === 'string' && value.$ref.startsWith('schema/')) {
            found.add(value.$ref);
        }
        Object.values(value).forEach((member) => referencesOf(member, found));
    }
    return found;
}

/** A copy; what schemas say of themselves is compiled anyway, and a reader of OpenAPI follows no other document. */
function withoutSchemas(document) {
    return JSON.parse(JSON.stringify(document, (key, value) => (value?.$ref?.startsWith?.('schema/') ? {} : value)));
}

async function checkDocuments() {
    const contract = new Contract();
    const strict = { strict: false, validateFormats: false };
    const { Validator } = await import('@seriousme/openapi-schema-validator');
    const openapi = await new Validator().validate(withoutSchemas(contract.openapi));
    const asyncapi = require(`@asyncapi/specs/schemas/${contract.asyncapi.asyncapi}-without-$id.json`);
    for (const name of contract.names) {
        const document = contract.documents.get(name);
        const faults = Object.keys(document.$defs ?? {}).map((def) => attempt(() =>
            contract.compile({ $ref: `${name}#/$defs/${def}` })));
        point(name, [attempt(() => contract.compile({ $ref: name })), ...faults]);
    }
    point('openapi.json is OpenAPI', openapi.valid ? [] : JSON.stringify(openapi.errors).slice(0, 2000));
    point('asyncapi.json is AsyncAPI', faultsOf(new Ajv(strict).compile(asyncapi), contract.asyncapi));
    for (const name of ['openapi', 'asyncapi']) {
        point(`${name}.json names schemas that there are`,
            [...referencesOf(contract[name])].map(($ref) => attempt(() => contract.compile({ $ref }))));
    }
    point('the examples of docs/PROTOCOL.md are of the contract', faultsOfExamples(contract));
    console.log(`1..${points}`);
    return failed ? 1 : 0;
}

function attempt(action) {
    try {
        action();
        return null;
    } catch (why) {
        return why.message;
    }
}

// ---- alerts ----

const SERIES = /\b(?:gloss|process)_[a-z0-9_]+/g;

async function checkAlerts(rulesFile, metricsFile) {
    const { parse } = await import('yaml');
    const metrics = new Set(fs.readFileSync(metricsFile, 'utf8').split('\n')
        .filter((line) => line && !line.startsWith('#')).map((line) => line.split(/[{ ]/)[0]));
    const { groups, ...rest } = parse(fs.readFileSync(rulesFile, 'utf8'));
    point('the file has groups and nothing else', Object.keys(rest));
    const rules = groups.flatMap((group) => group.rules);
    const names = rules.map((rule) => rule.alert);
    point('each alert has a name of its own', names.filter((n, i) => !n || names.indexOf(n) !== i));
    for (const { alert, expr, for: time, labels, annotations, ...more } of rules) {
        const asked = String(expr).match(SERIES) ?? [];
        point(alert, [
            ...Object.keys(more).map((key) => `a rule has no ${key}`),
            ...asked.filter((name) => !metrics.has(name)).map((name) => `there is no ${name}`),
            asked.length === 0 && !String(expr).includes('up{') && `it asks for nothing of gloss: ${expr}`,
            !['critical', 'warning'].includes(labels?.severity) && 'it has no severity',
            !annotations?.summary && 'it has no summary',
            time !== undefined && !/^\d+[smhd]$/.test(time) && `${time} is no time`,
        ]);
    }
    console.log(`1..${points}`);
    return failed ? 1 : 0;
}

const [command, ...files] = process.argv.slice(2);
switch (command) {
case 'traffic':
    process.exitCode = checkTraffic(files[0]);
    break;
case 'documents':
    process.exitCode = await checkDocuments();
    break;
case 'alerts':
    process.exitCode = await checkAlerts(...files);
    break;
default:
    console.error('contract.mjs traffic FILE | documents | alerts RULES METRICS');
    process.exitCode = 2;
}
