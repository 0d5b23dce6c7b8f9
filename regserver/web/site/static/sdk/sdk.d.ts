// Types of sdk.js.

/** A refusal. */
export class Refused extends Error {
  constructor(code: string | number, more?: Partial<Pick<Refused, "status" | "retryAfter" | "answer" | "message">> & Record<string, unknown>);
  /** The server's name for it, such as "UsernameTaken", an id of the directory, or a number of the steps; or one of ours:
   *  "Offline", "RegistrationUnknown", "RegistrationFailed". */
  code: string | number;
  /** Of HTTP; 0 where there was none. */
  status: number;
  /** Seconds until the next try; 0 for no word of it. */
  retryAfter: number;
  /** What the server said, decoded; null for nothing. */
  answer: any;
}

export interface Session {
  userId: number;
  token: string;
  /** Seconds. */
  expiresIn: number;
}

/** "live": connected; again: not for the first time. "lost": seconds until the next try. */
export type State = (now: "live" | "lost", detail: { again?: boolean; seconds?: number }) => void;

export interface Watching {
  signal?: AbortSignal;
  state?: State;
}

/** What a socket says, for one `for await`. */
export interface Events<Event> extends AsyncIterableIterator<Event> {
  stop(): void;
  /** Tries now instead of after the pause. */
  retry(): void;
}

// --- live registration
interface RegistrationStep<Type extends string, Data> {
  eventType: Type;
  step: number;
  /** -1 while it is not known. */
  totalSteps: number;
  message: string;
  additionalData: Data;
  /** Seconds to the end, estimated; null while there is no estimate. */
  etaSeconds: number | null;
}
export type RegistrationEvent =
  | RegistrationStep<"INFORMATION", Record<string, never>>
  | RegistrationStep<"FAILURE", Record<string, never>>
  | RegistrationStep<"NAME", { firstName: string; middleName: string | null; lastName: string }>
  | RegistrationStep<"AUTHENTICATION", { userId: number; token: string }>;

export interface Registration extends Events<RegistrationEvent> {
  /** Waits for the end. Rejects with Refused: RegistrationFailed, RegistrationUnknown. */
  done(): Promise<{ userId: number; token: string }>;
}

// --- rooms
export interface Post {
  id: number;
  user: number;
  room: number;
  content: string;
  createdAt: string;
  /** When its author edited it last. */
  edited?: string;
}
export interface ListedPost extends Post {
  username: string;
}
export interface RoomSummary {
  roomId: number;
  name: string;
  users: number[];
  userCount?: number;
  lastPost: ListedPost | null;
  unread: number;
}
export interface Room {
  roomId: number;
  name: string;
  users: number[];
  userCount?: number;
  posts: number[];
  createdAt: string;
  updatedAt: string;
  lastPost?: ListedPost | null;
}
export interface Offer {
  roomId: number;
  name: string | null;
  userWhoInvited: number;
  username: string;
  createdAt: string;
}
/** before and after, of which one may be given: where the page ends or begins. Lists of rooms know `before` alone. */
export interface Page {
  before?: number;
  after?: number;
  limit?: number;
}
export type RoomEvent = KeptEvent | PassingEvent;
/** Only with {presence: true}, and Seen with {seen: true}; they are not kept, and have no cursor. */
export type PassingEvent =
  | { type: "Presence"; userId: number; roomId: number; online: boolean; cursor?: undefined }
  | { type: "Typing"; userId: number; roomId: number; cursor?: undefined }
  | { type: "Seen"; roomId: number; postId: number; cursor?: undefined };
export type KeptEvent = { cursor: string } & (
  | { type: "Resumed"; recovered: boolean; missed: number }
  | { type: "NewPost"; userId: number; roomId: number; postId: number; content: string; createdAt: string }
  | { type: "PostEdited"; userId: number; roomId: number; postId: number; content: string; editedAt: string }
  | { type: "PostDeleted"; userId: number; roomId: number; postId: number }
  | { type: "RoomRenamed"; userId: number; roomId: number; name: string | null }
  | { type: "RoomCreated"; creatorId: number; roomId: number }
  | { type: "RoomInvitation"; userWhoInvited: number; roomId: number }
  | { type: "NewUsersInRoom"; userWhoInvited: number; newUsers: number[]; roomId: number }
  | { type: "UserLeftRoom"; userId: number; roomId: number; userDeleted: boolean }
);
export interface Listening extends Watching {
  /** The cursor of the last event that was taken; empty for now. */
  since?: string;
  /** Whether to hear one's own doings too. */
  echo?: boolean;
  /** Whether to hear that posts are edited and deleted, and rooms renamed. */
  edits?: boolean;
  /** Whether to hear what one has read on another device. */
  seen?: boolean;
  /** Whether to hear who is there and who is typing, and to be seen. */
  presence?: boolean;
}

export interface PersonNamed {
  userId: number;
  username: string;
}

interface Rooms {
  create(fields?: { name?: string; otherUsers?: number[] }): Promise<number>;
  list(page?: Page): Promise<{ rooms: RoomSummary[]; more?: boolean }>;
  info(roomId: number, options?: { lastPost?: boolean }): Promise<Room>;
  invite(roomId: number, otherUsers: number[]): Promise<null>;
  offers(): Promise<Offer[]>;
  accept(roomId: number): Promise<null>;
  decline(roomId: number): Promise<null>;
  leave(roomId: number): Promise<null>;
  post(roomId: number, content: string): Promise<number>;
  edit(postId: number, content: string): Promise<null>;
  deletePost(postId: number): Promise<null>;
  /** Of a room of one's own, as kick. */
  rename(roomId: number, name: string | null): Promise<null>;
  kick(roomId: number, userId: number): Promise<null>;
  members(roomId: number, page?: { after?: number; limit?: number }): Promise<{ owner: number | null; users: PersonNamed[]; more: boolean }>;
  /** next: `before` of the next page; absent at the room's beginning. */
  search(roomId: number, text: string, page?: { before?: number }): Promise<{ posts: ListedPost[]; next?: number }>;
  /** People whose names begin so, as far as the operator suggests anybody. */
  people(text: string): Promise<{ people: PersonNamed[]; suggests: "all" | "rooms" | "off" }>;
  read(postId: number): Promise<Post>;
  readAll(roomId: number, page?: Page): Promise<{ posts: ListedPost[]; more: boolean }>;
  seen(roomId: number, postId: number): Promise<null>;
  /** The applicationServerKey of a browser's subscription. */
  pushKey(): Promise<string>;
  /** subscription: PushSubscription.toJSON(). showsContent: whether messages have the posts in them. */
  addPush(subscription: PushSubscriptionJSON & { showsContent?: boolean }): Promise<number>;
  pushes(): Promise<{ subscriptions: { subscriptionId: number; host: string; showsContent: boolean; createdAt: string }[]; muted: number[] }>;
  removePush(subscriptionId: number): Promise<null>;
  mute(roomId: number): Promise<null>;
  unmute(roomId: number): Promise<null>;
  /** The others hear it who listen with {presence: true}. */
  typing(roomId: number): Promise<null>;
  /** Everything that happens, each event once and in order, over restarts and lost connections. */
  listen(options?: Listening): Events<RoomEvent>;
}

// --- registration steps
export type CaptchaType = "web" | "android" | "ios";
export type StepState =
  | "firstStep" | "verify" | "firstStepEmail" | "verifyEmail" | "createIdentity" | "setUsername" | "toBlockChain" | "registered";
export type Contact = { phone: string } | { email: string } | { identity: string; provider?: string };
interface Asked {
  captcha?: string;
  captchaType?: CaptchaType;
  invitation?: string;
}
interface Stepped {
  currentState: StepState;
}
interface Verified extends Stepped {
  token?: string;
}
interface Status {
  status: "OK";
}

interface Steps {
  getState(params: Contact & { token?: string }): Promise<Stepped & { data?: { userId: string; username: string } }>;
  firstStep(params: { phone: string } & Asked): Promise<Stepped & { nextSmsRetry: string }>;
  verify(params: { phone: string; code: string | number; wantToken?: boolean }): Promise<Verified>;
  resendSmsCode(params: { phone: string }): Promise<Stepped & { nextSmsRetry: string }>;
  firstStepEmail(params: { email: string } & Asked): Promise<Stepped & { nextEmailRetry: string }>;
  verifyEmail(params: { email: string; code: string | number; wantToken?: boolean }): Promise<Verified>;
  resendEmailCode(params: { email: string }): Promise<Stepped & { nextEmailRetry: string }>;
  createIdentity(params: { identity: string; provider: string; secureKey: string; wantToken?: boolean; invitation?: string }): Promise<Verified>;
  setUsername(params: Contact & { username: string; token?: string }): Promise<Stepped & { userId: string }>;
  toBlockChain(
    params: Contact & {
      username: string; userId: string; publicOwnerKey: string; publicActiveKey: string; token?: string; wantToken?: boolean; invitation?: string;
    },
  ): Promise<Stepped & { userId: string; username: string; token?: string; expiresIn?: number }>;
  onboardingCommunitySubscriptions(params: { userId: string; communityIds: string[] }): Promise<Status>;
  onboardingDeviceSwitched(params: { userId: string }): Promise<Status>;
  onboardingSharedLink(params: { userId: string }): Promise<Status>;
  /** Any method, also "rpc.discover". */
  call(method: string, params?: object): Promise<any>;
  /** Many at once; resolves as Promise.allSettled does. */
  batch(calls: [method: string, params?: object][]): Promise<PromiseSettledResult<any>[]>;
}

// --- the directory
interface Directory {
  check(name: string): Promise<boolean>;
  init(fields: { userName: string; password: string; email: string; languageCode?: "en" | "fr" | "ru" } & Asked): Promise<{ message: string; detail: string; id: "INIT_DONE" } | { server: string }>;
  /** The server of the confirmed user. Refused "ALREADY_CONFIRMED" has it in answer.server. */
  confirm(challenge: string): Promise<string>;
  /** The server where a user lives. */
  find(name: string): Promise<string>;
}

// --- one's own account
export interface User {
  userId: number;
  username: string;
  email: string | null;
  emailVerified: boolean;
  rooms: number[];
  createdAt: string;
  updatedAt: string;
}
export interface SessionShown {
  sessionId: number;
  name: string | null;
  agent: string;
  network: string;
  createdAt: string;
  lastUsedAt: string;
  expiresAt: string;
  current: boolean;
}
export interface Factors {
  totp: boolean;
  recoveryCodes: number;
  passkeys: { passkeyId: number; name: string; createdAt: string; lastUsedAt: string | null }[];
}
type Mailed = { email: string } | { username: string };
type Reached = { email: string } | { phone: string };

interface Account {
  register(fields: { username: string; email: string; password: string } & Asked): Promise<Session>;
  info(): Promise<User>;
  userId(username: string): Promise<number>;
  username(userId: number): Promise<string>;
  restore(username: string, password: string): Promise<Session>;
  delete(password?: string): Promise<void>;
  export(): Promise<any>;
  recover(who: Mailed & { captcha?: string; captchaType?: CaptchaType }): Promise<object>;
  finishRecovery(token: string, password: string): Promise<Session>;
  sendCode(contact: Reached & { captcha?: string; captchaType?: CaptchaType }): Promise<{ nextRetry: string }>;
  verifyCode(contact: Reached, code: string | number): Promise<Session>;
  changePassword(newPassword: string, password?: string): Promise<null>;
  changeEmail(email: string, password?: string): Promise<object>;
  verifyEmail(token: string): Promise<{ email: string }>;
  undoEmail(token: string): Promise<{ email: string }>;
  resendEmail(): Promise<object>;
  sessions(): Promise<SessionShown[]>;
  endSession(sessionId: number): Promise<null>;
  createToken(name: string, expiresIn?: number): Promise<{ sessionId: number; token: string }>;
  factors(): Promise<Factors>;
  beginTotp(): Promise<{ secret: string; uri: string; qr: string }>;
  confirmTotp(code: string): Promise<{ recoveryCodes: string[] }>;
  /** password: or a code. */
  removeTotp(password: string): Promise<null>;
  /** For PublicKeyCredential.parseCreationOptionsFromJSON. */
  passkeyOptions(password?: string): Promise<any>;
  /** credential: its toJSON(). */
  addPasskey(credential: object, name?: string): Promise<{ passkeyId: number }>;
  removePasskey(passkeyId: number): Promise<null>;
  /** For PublicKeyCredential.parseRequestOptionsFromJSON. */
  passkeyChallenge(): Promise<any>;
  passkeyVerify(credential: object): Promise<Session>;
  blocks(): Promise<{ userId: number; username: string; createdAt: string }[]>;
  block(userId: number): Promise<null>;
  unblock(userId: number): Promise<null>;
}

// --- the client
export interface Options {
  /** Of a session. */
  token?: string | null;
  /** Of messages: en, fr, ru. */
  language?: string;
  fetch?: typeof fetch;
  /** Where the platform has none: `import WebSocket from "ws"`. */
  WebSocket?: any;
  /** Milliseconds for one request. */
  patience?: number;
  /** How often what is safe to repeat is tried again. */
  retries?: number;
  /** The token has ended. */
  ended?: (problem: Refused) => void;
  /** A class that extends Refused. */
  Refused?: typeof Refused;
}

export class Regserver {
  /** base: the server's address; that of this file by default. */
  constructor(base?: string | URL, options?: Options);
  base: URL;
  token: string | null;
  language: string;
  account: Account;
  rooms: Rooms;
  steps: Steps;
  directory: Directory;
  /** Signs in. Who is not registered yet gets a registration to watch. Refused "SecondFactorRequired": answer.ticket is for factor(). */
  signIn(username: string, password: string, more?: { invitation?: string }): Promise<(Session & { registration?: undefined }) | { location: string; registration: Registration }>;
  watch(location: string | URL, options?: Watching): Registration;
  factor(ticket: string, code: string): Promise<Session>;
  signOut(options?: { all?: boolean }): Promise<void>;
  /** The `captcha` of one request, by the server's own proof of work. */
  prove(): Promise<string>;
  /** Any request; resolves with the answer's JSON, or null. */
  call(method: string, path: string, body?: object | null, headers?: Record<string, string>): Promise<any>;
  /** Any request; resolves with the Response. */
  ask(method: string, path: string, body?: object | null, headers?: Record<string, string>): Promise<Response>;
  socketAddress(path: string): string;
}

/** Keeps a socket open until it is stopped. */
export function keepOpen(parts: {
  address(): Promise<string>;
  opened(again: boolean): void;
  message(text: string): void;
  lost(seconds: number): void;
  /** Whether that was the end. */
  closed(code: number): boolean;
  refused?(problem: any): boolean;
  WebSocket?: any;
}): { retry(): void; stop(): void; hold(): void; resume(): void };

/** 128 random bits in hex. */
export function randomKey(): string;
