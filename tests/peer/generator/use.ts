// What a program does with the generated types: the compiler checks that each is there, and says what it should.
import type { operations, paths } from "./openapi";
import { getRoomReadAllRoom, postLogin, postRpc } from "./sdk";

type Login = operations["post_login"];
const prefer: NonNullable<Login["parameters"]["header"]> = { Prefer: "respond-async" };
const where: Login["responses"][303]["headers"]["Location"] = "wss://example.org/register/u-1";
const wait: Login["responses"][429]["headers"]["Retry-After"] = 5;
const tooLong: Login["responses"][413]["content"]["application/json"] = { error: "BodyTooLarge" };
const coded: operations["get_room_list"]["responses"][415]["content"]["application/json"] = { error: "BadContentType" };
// @ts-expect-error a body is required
const none: Login["requestBody"] = undefined;
const create: operations["post_room_create"]["requestBody"] = undefined; // here it is not

type Rpc = paths["/rpc"]["post"];
const call: Rpc["requestBody"]["content"]["application/json"] = {
  jsonrpc: "2.0", method: "getState", params: { phone: "+380000000000" }, id: 1,
};
const batch: Rpc["requestBody"]["content"]["application/json"] = [call];
type Ready = operations["get_health_ready"]["responses"][200]["content"]["application/json"];
const failing: Ready["failing"] = ["mail"];

export const used = [prefer, where, wait, tooLong, coded, none, create, batch, failing];
export const calls = [
  postLogin({ body: { username: "ada", password: "x" }, headers: { Prefer: "respond-async" } }),
  postRpc({ body: call }),
  getRoomReadAllRoom({ path: { room: 1 }, query: { limit: 5 } }),
];
