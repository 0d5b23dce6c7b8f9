"""The client in Node against the started server, which is killed and started again under it."""

import json
import signal
from pathlib import Path

from tests.peer.proxy import free_port
from tests.sdk.client import sdk_script
from tests.system.server import FROM_ROSTER, Person, local_server, open_server, sign_up
from tests.system.steps_client import KEY

FIRST_SIGN_IN = """
const server = make({ language: 'fr' });
const { registration } = await server.signIn('ada', 'correct horse battery');
const events = [];
for await (const event of registration) events.push(event);
say('events', events);
say('me', await server.account.info());
say('again', await make().signIn('ada', 'correct horse battery'));
const two = await make().signIn('alan', 'enigma bombe');
const three = await make().signIn('alan', 'enigma bombe');
const [one, other] = await Promise.all([two.registration.done(), three.registration.done()]);
say('together', [one, other]);
say('wrong', await refusal(make().signIn('ada', 'wrong')));
say('unknown', await refusal(server.watch('ws://x/register/u-00000000-0000-4000-8000-000000000000').done()));
"""


async def test_a_first_sign_in_is_watched() -> None:
    async with (
        local_server(live=FROM_ROSTER) as (server, _),
        sdk_script(server.url, FIRST_SIGN_IN) as script,
    ):
        events = await script.said("events")
        assert [event["eventType"] for event in events][-2:] == ["NAME", "AUTHENTICATION"]
        assert [event["step"] for event in events] == sorted(event["step"] for event in events)
        assert "etaSeconds" in events[0]
        assert (await script.said("me"))["username"] == "ada"
        assert (await script.said("again"))["token"].startswith("regs_")
        one, other = await script.said("together")
        assert one == other
        assert (await script.said("wrong"))["code"] == "BadCredentials"
        assert (await script.said("unknown"))["code"] == "RegistrationUnknown"


LISTENING = """
const server = make({ token: %s });
let taken = 0;
for await (const event of server.rooms.listen({ state: (now) => say(now) })) {
  say(`event-${++taken}`, event);
}
"""


async def _post(person: Person, room: int, *contents: str) -> None:
    for content in contents:
        await person.post(f"/room/post/{room}", {"content": content})


async def test_nothing_is_missed_and_nothing_comes_twice(tmp_path: Path) -> None:
    """The server is killed, is away, and comes back twice; the third time the session is over."""
    bind = (f"server.bind=127.0.0.1:{free_port()}",)
    async with open_server(tmp_path, bind) as server, server.client() as http:
        ann, bob = [await sign_up(http, name) for name in ("ann", "bob")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
        async with sdk_script(server.url, LISTENING % json.dumps(bob.token)) as script:
            assert (await script.said("event-1"))["type"] == "Resumed"
            await _post(ann, room, "1", "2")
            assert (await script.said("event-3"))["content"] == "2"
            await server.stop(signal.SIGKILL)
            await script.said("lost")
            async with open_server(tmp_path, bind) as second, second.client() as again:
                ann = Person(again, ann.id, ann.token)
                await _post(ann, room, "3", "4")
                resumed, *posts = [await script.said(f"event-{number}") for number in (4, 5, 6)]
                assert (resumed["type"], resumed["recovered"]) == ("Resumed", True)
                assert [post["content"] for post in posts] == ["3", "4"]
                bob = Person(again, bob.id, bob.token)
                await bob.call("DELETE", "/login/token")
                await script.fails_with("BadToken")


RESUMING = """
const { token, cursor } = %s;
for (const since of [cursor, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAA']) {
  const events = make({ token }).rooms.listen({ since });
  const { value } = await events.next();
  say(value.recovered ? 'recovered' : 'anew', value);
  if (value.recovered) say('post', (await events.next()).value);
  await events.return();
  say('done', await events.next());
}
const stop = new AbortController();
const events = make({ token }).rooms.listen({ signal: stop.signal });
await events.next();
stop.abort();
say('aborted', await events.next());
say('refused', await refusal(make({ token: 'x' }).rooms.listen().next()));

const slow = make({ token }).rooms.listen({ since: cursor }), room = %s, contents = [];
const resumed = (await slow.next()).value;
await new Promise((resolve) => { setTimeout(resolve, 300); }); // it gets more than it keeps
for (let taken = 0; taken < resumed.missed; taken += 1) {
  let { value } = await slow.next();
  if (value.type === 'Resumed') value = (await slow.next()).value;
  contents.push(value.content);
}
say('slow', contents);
"""


async def test_a_cursor_is_gone_on_from_and_a_slow_program_gets_everything() -> None:
    async with local_server() as (server, http):
        ann, bob = [await sign_up(http, name) for name in ("ann", "bob")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
        first = "const it = make({ token: %s }).rooms.listen(); say('cursor', (await it.next()).value.cursor); process.exit();"
        async with sdk_script(server.url, first % json.dumps(bob.token)) as script:
            cursor = await script.said("cursor")
        contents = [str(number) for number in range(1100)]
        await _post(ann, room, *contents)
        given = json.dumps({"token": bob.token, "cursor": cursor})
        async with sdk_script(server.url, RESUMING % (given, room)) as script:
            assert (await script.said("recovered"))["missed"] == 1100
            assert (await script.said("post"))["content"] == "0"
            assert (await script.said("anew"))["recovered"] is False
            assert await script.said("done") == {"done": True}
            assert await script.said("aborted") == {"done": True}
            assert (await script.said("refused"))["code"] == "BadToken"
            assert await script.said("slow") == contents


DOORS = """
const server = make();
const phone = '+15550001111';
say('state', await server.steps.getState({ phone }));
await server.steps.firstStep({ phone });
const tried = await server.steps.batch([['verify', { phone, code: '000000' }], ['verify', { phone, code: '424242' }]]);
say('tried', tried.map(({ value, reason }) => value?.currentState ?? reason.code));
const named = await server.steps.setUsername({ phone, username: 'carol' });
const keys = { publicOwnerKey: '%(key)s', publicActiveKey: '%(key)s' };
const registered = await server.steps.toBlockChain({ phone, username: 'carol', userId: named.userId, ...keys, wantToken: true });
say('carol', (await make({ token: registered.token }).account.info()).username);
say('missing', await refusal(server.steps.call('nothing')));
say('free', await server.directory.check('alice'));
say('bad', await refusal(server.directory.init({ userName: 'a', password: 'b', email: 'c' })));
say('nobody', await refusal(server.directory.find('alice')));

const ann = make(), bob = make();
const { userId } = await ann.account.register({ username: 'ann', email: 'ann@example.org', password: 'a long password' });
await bob.account.register({ username: 'bob', email: 'bob@example.org', password: 'another long one' });
const room = await bob.rooms.create({ name: 'Tea', otherUsers: [await bob.account.userId('ann')] });
say('post', await bob.rooms.post(room, 'hello'));
say('read', (await ann.rooms.readAll(room, { limit: 1 })).posts[0].content);
say('after', (await ann.rooms.readAll(room, { after: (await ann.rooms.list()).rooms[0].lastPost.id })).posts.length);
say('taken', await refusal(make().account.register({ username: 'Ann', email: 'x@example.org', password: 'a long password' })));
await ann.account.changePassword('an even longer password', 'a long password');
say('sessions', (await ann.account.sessions()).length);
say('exported', (await ann.account.export()).account.userId === userId);
await ann.signOut();
say('out', ann.token);
await bob.account.delete('another long one');
say('gone', await refusal(bob.signIn('bob', 'another long one')));
"""


async def test_every_door_is_open() -> None:
    async with (
        local_server(server={"test_mode": True}, sms={"test": {"+15550001111": "424242"}}) as (server, _),
        sdk_script(server.url, DOORS % {"key": KEY}) as script,
    ):
        assert (await script.said("state"))["currentState"] == "firstStep"
        assert await script.said("tried") == [1104, "setUsername"]
        assert await script.said("carol") == "carol"
        assert (await script.said("missing"))["code"] == -32601
        assert await script.said("free") is False
        bad = await script.said("bad")
        assert (bad["code"], len(bad["answer"]["errors"])) == ("INVALID_DATA", 3)
        assert (await script.said("nobody"))["code"] == "UNKOWN_USER_NAME"
        assert await script.said("read") == "hello"
        assert (await script.said("taken"))["code"] == "UsernameTaken"
        assert await script.said("sessions") == 1
        assert await script.said("exported") is True
        assert await script.said("out") is None
        assert (await script.said("gone"))["code"] == "UserIsDeleted"


PROVING = """
const ann = { username: 'ann', email: 'ann@example.org', password: 'a long password' };
const server = make();
say('without', await refusal(server.account.register(ann)));
await server.account.register({ ...ann, captcha: await server.prove() });
say('ann', (await server.account.info()).username);
"""


async def test_a_proof_of_work_opens_a_door_that_demands_it() -> None:
    async with (
        local_server(captcha={"kind": "altcha", "doors": ["rooms"], "work": 50}) as (server, _),
        sdk_script(server.url, PROVING) as script,
    ):
        assert (await script.said("without"))["code"] == "BadCaptcha"
        assert await script.said("ann") == "ann"
