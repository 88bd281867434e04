// Finds the gloss program and makes sure that it runs. The answer says which one and why, so
// that the log and the status command can tell it; the reason for a failure is a sentence
// for people.
import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';

const VERSION_TIMEOUT_MS = 5000;

export type Source = 'setting' | 'extension' | 'PATH';

export interface Program {
    path: string;
    source: Source;
    version: string;
}

export interface Places {
    /** The setting `gloss.path`; empty when it is not set. */
    setting: string;
    extensionFolder: string;
    workspaceFolder: string | undefined;
    env: NodeJS.ProcessEnv;
}

async function isExecutable(file: string): Promise<boolean> {
    try {
        await fs.access(file, fs.constants.X_OK);
        return (await fs.stat(file)).isFile();
    } catch {
        return false;
    }
}

/** The setting as an absolute path, or as the bare name that is to be found on PATH. */
function expand(setting: string, workspaceFolder: string | undefined): string {
    if (setting.startsWith('~/')) {
        return path.join(os.homedir(), setting.slice(2));
    }
    if (setting.includes('/') && !path.isAbsolute(setting) && workspaceFolder) {
        return path.resolve(workspaceFolder, setting);
    }
    return setting;
}

async function onPath(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
    for (const folder of (env.PATH ?? '').split(path.delimiter)) {
        // A relative entry would let the working directory choose the program.
        if (path.isAbsolute(folder) && (await isExecutable(path.join(folder, name)))) {
            return path.join(folder, name);
        }
    }
    return undefined;
}

async function find(places: Places): Promise<{ path: string; source: Source }> {
    if (places.setting) {
        const wanted = expand(places.setting, places.workspaceFolder);
        const found = wanted.includes('/') ? wanted : await onPath(wanted, places.env);
        if (found && path.isAbsolute(found) && (await isExecutable(found))) {
            return { path: found, source: 'setting' };
        }
        throw new Error(`The setting gloss.path names ${wanted}, which cannot be run.`);
    }
    const bundled = path.join(places.extensionFolder, 'bin', 'gloss');
    if (await isExecutable(bundled)) {
        return { path: bundled, source: 'extension' };
    }
    const found = await onPath('gloss', places.env);
    if (found) {
        return { path: found, source: 'PATH' };
    }
    throw new Error(
        'No program gloss: it is neither in the extension nor on PATH. ' +
            'Install it, or name it with the setting gloss.path.',
    );
}

function askVersion(file: string, env: NodeJS.ProcessEnv): Promise<string> {
    return new Promise((resolve, reject) => {
        const options = { env, timeout: VERSION_TIMEOUT_MS };
        execFile(file, ['version'], options, (error, stdout, stderr) => {
            if (error) {
                const detail = stderr.trim() || error.message;
                reject(new Error(`${file} does not run: ${detail}`));
            } else {
                resolve(stdout.trim());
            }
        });
    });
}

export async function locate(places: Places): Promise<Program> {
    const found = await find(places);
    return { ...found, version: await askVersion(found.path, places.env) };
}
