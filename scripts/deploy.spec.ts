import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Deployment } from 'kubernetes-models/apps/v1';
import { Job } from 'kubernetes-models/batch/v1';
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, Secret, Service } from 'kubernetes-models/v1';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfig } from '../src/config/load-config.js';
import { PROVIDER_DEFINITIONS } from '../src/providers/definitions/registry.js';
import { renderChart } from './render-chart.mjs';

interface Container {
  name: string;
  image: string;
  command?: string[];
  env: { name: string; value: string }[];
  envFrom: { secretRef: { name: string } }[];
  volumeMounts: { name: string; mountPath: string }[];
  ports?: { name: string }[];
}
interface Resource {
  apiVersion: string;
  kind: string;
  metadata: { name: string; annotations?: Record<string, string> };
  data?: Record<string, string>;
  spec: {
    replicas?: number;
    /** Of a Deployment. */
    selector?: { matchLabels?: Record<string, string> };
    template: {
      metadata: { labels: Record<string, string> };
      spec: { containers: Container[]; volumes: { name: string }[]; terminationGracePeriodSeconds?: number };
    };
  };
}

const MODELS: Readonly<Record<string, new (data: never) => { validate(): void }>> = {
  'apps/v1 Deployment': Deployment,
  'batch/v1 Job': Job,
  'networking.k8s.io/v1 Ingress': Ingress,
  'policy/v1 PodDisruptionBudget': PodDisruptionBudget,
  'v1 ConfigMap': ConfigMap,
  'v1 Secret': Secret,
  'v1 Service': Service,
};

function resourcesOf(texts: readonly string[]): Resource[] {
  return texts.flatMap((text) =>
    parseAllDocuments(text).flatMap((document) => {
      expect(document.errors).toEqual([]);
      const value = document.toJS() as Resource | null;
      return value === null ? [] : [value];
    }),
  );
}

/** By the schemas of Kubernetes, and by what they leave open: names that belong together. */
function check(resources: readonly Resource[]): void {
  for (const resource of resources) {
    const Model = MODELS[`${resource.apiVersion} ${resource.kind}`];
    if (Model === undefined) throw new Error(`no schema for ${resource.apiVersion} ${resource.kind}`);
    expect(() => new Model(resource as never).validate()).not.toThrow();
    if (resource.kind !== 'Deployment' && resource.kind !== 'Job') continue;
    const { selector, template } = resource.spec;
    expect(template.metadata.labels).toMatchObject(selector?.matchLabels ?? {});
    for (const { volumeMounts, env, ports } of template.spec.containers) {
      expect(volumeMounts.map(({ name }) => name).sort()).toEqual(template.spec.volumes.map(({ name }) => name).sort());
      const variables = Object.fromEntries(env.map(({ name, value }) => [name, value]));
      expect(variables['GATEWAY_MIGRATE']).toBe('off');
      for (const value of Object.values(variables)) expect(typeof value).toBe('string');
      // What the containers are given is a configuration that starts.
      const { GATEWAY_CONFIG: _file, ...checked } = variables;
      expect(loadConfig({ env: checked, cwd: '/nowhere' }).metrics.port).toBe(
        ports === undefined ? checked['METRICS_PORT'] && 9464 : 9464,
      );
    }
  }
  const file = resources.find(({ kind }) => kind === 'ConfigMap')?.data?.['gateway.yaml'];
  expect(parse(file ?? '')).toEqual({ sandbox: true });
}

describe('deploy/kubernetes', () => {
  const folder = 'deploy/kubernetes';
  const resources = resourcesOf(readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8')));

  it('is valid by the schemas of Kubernetes', () => {
    expect(resources.map(({ kind }) => kind).sort()).toEqual([
      'ConfigMap',
      'Deployment',
      'Deployment',
      'Job',
      'PodDisruptionBudget',
      'PodDisruptionBudget',
      'Secret',
      'Service',
    ]);
    check(resources);
  });

  it('is not checked by schemas that take anything', () => {
    const broken = structuredClone(resources.find(({ kind }) => kind === 'Deployment')) as Resource;
    broken.spec.replicas = 'two' as never;
    expect(() => new Deployment(broken as never).validate()).toThrow(/replicas/);
  });
});

describe('deploy/helm', () => {
  const chart = 'deploy/helm/llm-gateway';
  const render = (values: object = {}): Resource[] =>
    resourcesOf(
      [...renderChart(chart, values).entries()].filter(([name]) => name.endsWith('.yaml')).map(([, text]) => text),
    );

  it('gives resources that are valid by the schemas of Kubernetes', () => {
    const resources = render();
    check(resources);
    expect(resources.some(({ kind }) => kind === 'Ingress')).toBe(false);
    const names = resources.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    expect(resources.find(({ kind }) => kind === 'Job')?.metadata.annotations?.['helm.sh/hook']).toBe(
      'pre-install,pre-upgrade',
    );
  });

  it('takes every value over', () => {
    const resources = render({
      image: { repository: 'registry.example/llm-gateway', tag: '9.9.9' },
      imagePullSecrets: [{ name: 'pull' }],
      existingSecret: 'my-secret',
      env: { LOG_LEVEL: 'debug' },
      api: { replicas: 5 },
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ key: 'only', operator: 'Exists' }],
      affinity: { nodeAffinity: {} },
      ingress: { enabled: true, className: 'nginx', annotations: { a: 'b' }, tlsSecret: 'tls' },
    });
    check(resources);
    expect(resources.find(({ kind }) => kind === 'Ingress')).toMatchObject({
      spec: { ingressClassName: 'nginx', tls: [{ secretName: 'tls', hosts: ['gateway.example.com'] }] },
    });
    const pods = resources.filter(({ kind }) => kind === 'Deployment' || kind === 'Job');
    expect(pods).toHaveLength(3);
    for (const { spec } of pods) {
      const { containers, ...pod } = spec.template.spec;
      expect(pod).toMatchObject({ nodeSelector: { disk: 'ssd' }, imagePullSecrets: [{ name: 'pull' }] });
      expect(containers[0]?.image).toBe('registry.example/llm-gateway:9.9.9');
      expect(containers[0]?.envFrom).toEqual([{ secretRef: { name: 'my-secret' } }]);
      expect(containers[0]?.env).toContainEqual({ name: 'LOG_LEVEL', value: 'debug' });
    }
    expect(pods.find(({ metadata }) => metadata.name === 'gateway-api')?.spec.replicas).toBe(5);
  });

  it('has the version of the package', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8'))).toMatchObject({ version, appVersion: version });
    expect(parse(readFileSync(join(chart, 'values.yaml'), 'utf8'))).toMatchObject({ image: { tag: version } });
  });
});

describe('compose.yaml', () => {
  const compose = parse(readFileSync('compose.yaml', 'utf8'), { merge: true }) as {
    services: Record<string, { environment: Record<string, string | number>; volumes?: unknown[]; tmpfs?: string[] }>;
    volumes: Record<string, null>;
  };
  const example = readFileSync('.env.example', 'utf8');
  const documented = new Set([...example.matchAll(/^([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name));
  const gateways = ['api', 'worker', 'migrate'].map((name) => compose.services[name]?.environment ?? {});

  it('passes the variables of every provider on, and .env.example has them', () => {
    const variables = PROVIDER_DEFINITIONS.flatMap(({ keyVariable, baseUrlVariable }) =>
      [keyVariable ?? [], baseUrlVariable ?? []].flat(),
    );
    for (const environment of gateways) {
      expect(variables.filter((name) => environment[name] !== `\${${name}:-}`)).toEqual([]);
    }
    expect(variables.filter((name) => !documented.has(name))).toEqual([]);
  });

  it('asks for no variable that .env.example has not, and gives the gateway none that it does not know', () => {
    const asked = [...readFileSync('compose.yaml', 'utf8').matchAll(/\$\{([A-Z0-9_]+)/g)].map(([, name]) => name);
    expect(asked.filter((name) => !documented.has(name))).toEqual([]);
    for (const environment of gateways) {
      const env = Object.fromEntries(
        Object.entries(environment).map(([name, value]) => [
          name,
          String(value).replaceAll(/\$\{\w+:[-?]([^}]*)\}/g, ''),
        ]),
      );
      const { GATEWAY_CONFIG: _file, ...checked } = env;
      expect(() => loadConfig({ env: checked, cwd: '/nowhere' })).not.toThrow();
    }
  });

  it('keeps what a submission writes on a volume', () => {
    for (const name of ['api', 'worker']) {
      expect(compose.services[name]?.volumes).toContain('data:/data');
      expect(compose.services[name]?.tmpfs).toEqual(['/tmp']);
    }
    expect(Object.keys(compose.volumes)).toContain('data');
  });

  it('gets secrets by deploy/make-env.sh once, which leaves them alone when it is run again', () => {
    const folder = mkdtempSync(join(tmpdir(), 'make-env-'));
    try {
      mkdirSync(join(folder, 'deploy'));
      for (const file of ['deploy/make-env.sh', '.env.example']) cpSync(file, join(folder, file));
      const run = (): number | null => spawnSync('sh', [join(folder, 'deploy/make-env.sh')]).status;
      expect(run()).toBe(0);
      const first = readFileSync(join(folder, '.env'), 'utf8');
      expect(statSync(join(folder, '.env')).mode & 0o777).toBe(0o600);
      const value = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(first)?.[1] ?? '';
      const secrets = {
        GATEWAY_ADMIN_KEY: value('GATEWAY_ADMIN_KEY'),
        GATEWAY_KEY_PEPPER: value('GATEWAY_KEY_PEPPER'),
      };
      expect(loadConfig({ env: secrets, cwd: '/nowhere' }).auth).toEqual({
        adminKey: secrets.GATEWAY_ADMIN_KEY,
        pepper: secrets.GATEWAY_KEY_PEPPER,
      });
      expect(value('POSTGRES_PASSWORD')).toMatch(/^[0-9a-f]{32}$/);
      expect(run()).toBe(0);
      expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(first);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
