// Holds the documents of a directory against the validators of their makers, and prints one complaint a line as JSON:
//     node check.mjs DIRECTORY        with openapi.json, asyncapi.json and openrpc.json in it
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import SwaggerParser from "@apidevtools/swagger-parser";
import { Parser } from "@asyncapi/parser";
import { validateOpenRPCDocument } from "@open-rpc/schema-utils-js";
import { createConfig, lintFromString } from "@redocly/openapi-core";

const directory = process.argv[2];
const path = (document) => join(directory, `${document}.json`);
const read = async (document) => JSON.parse(await readFile(path(document), "utf8"));
const say = (document, rule, message, where) =>
  console.log(JSON.stringify({ document, rule, message, where: where ?? "" }));

async function checkOpenApi() {
  const document = "openapi";
  try {
    await SwaggerParser.validate(await read(document), { resolve: { external: false } });
  } catch (error) {
    for (const { message, instancePath } of error.details ?? [error]) {
      say(document, "schema", message, instancePath);
    }
  }
  // The linter also holds every example against its schema.
  const source = await readFile(path(document), "utf8");
  const config = await createConfig({ extends: ["recommended-strict"] });
  for (const problem of await lintFromString({ source, absoluteRef: path(document), config })) {
    say(document, problem.ruleId, problem.message, problem.location[0]?.pointer);
  }
}

async function checkAsyncApi() {
  const document = "asyncapi";
  const { diagnostics } = await new Parser().parse(JSON.stringify(await read(document)));
  for (const { code, message, path } of diagnostics) {
    say(document, String(code), message, path.join("/"));
  }
}

async function checkOpenRpc() {
  const document = "openrpc";
  const verdict = validateOpenRPCDocument(await read(document));
  if (verdict === true) return;
  for (const { message, instancePath, dataPath } of verdict.errors ?? [verdict]) {
    say(document, "schema", message, instancePath ?? dataPath);
  }
}

await checkOpenApi();
await checkAsyncApi();
await checkOpenRpc();
