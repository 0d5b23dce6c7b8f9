// A program on the types that openapi-typescript makes: it registers, posts and reads.
import createClient from "openapi-fetch";

import type { paths } from "./openapi";

const client = createClient<paths>({ baseUrl: process.argv[2] });
const body = { username: "tess", email: "tess@example.org", password: "a long password" };

const registered = await client.POST("/login/register", { body });
if (!registered.data) throw new Error(registered.error.error);
const headers = { Authorization: `Bearer ${registered.data.token}` };

const taken = await client.POST("/login/register", { body });
if (taken.error?.error !== "UsernameTaken") throw new Error("registered twice");

const created = await client.POST("/room/create", { body: { name: "Kitchen" }, headers });
const room = created.data!.roomId;
const posted = await client.POST("/room/post/{room}", { params: { path: { room } }, body: { content: "Tea?" }, headers });
const { data } = await client.GET("/room/readAll/{room}", { params: { path: { room }, query: { limit: 5 } }, headers });
const [post] = data!.posts;
if (post?.id !== posted.data!.postId || post.content !== "Tea?") throw new Error("it was not posted");

declare const process: { argv: string[] };
