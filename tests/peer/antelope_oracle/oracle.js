// Answers one JSON question per line of standard input, by @wharfkit/antelope: how a transaction is packed and hashed,
// whose signature one is, which public key belongs to a private one.
const { ABI, Checksum256, PrivateKey, PublicKey, Serializer, Signature, Transaction } = require("@wharfkit/antelope");

const abi = ABI.from({
  structs: [
    { name: "permission_level", base: "", fields: [{ name: "actor", type: "name" }, { name: "permission", type: "name" }] },
    { name: "key_weight", base: "", fields: [{ name: "key", type: "public_key" }, { name: "weight", type: "uint16" }] },
    { name: "permission_level_weight", base: "", fields: [{ name: "permission", type: "permission_level" }, { name: "weight", type: "uint16" }] },
    { name: "wait_weight", base: "", fields: [{ name: "wait_sec", type: "uint32" }, { name: "weight", type: "uint16" }] },
    { name: "authority", base: "", fields: [{ name: "threshold", type: "uint32" }, { name: "keys", type: "key_weight[]" }, { name: "accounts", type: "permission_level_weight[]" }, { name: "waits", type: "wait_weight[]" }] },
    { name: "newaccount", base: "", fields: [{ name: "creator", type: "name" }, { name: "name", type: "name" }, { name: "owner", type: "authority" }, { name: "active", type: "authority" }] },
    { name: "buyrambytes", base: "", fields: [{ name: "payer", type: "name" }, { name: "receiver", type: "name" }, { name: "bytes", type: "uint32" }] },
    { name: "delegatebw", base: "", fields: [{ name: "from", type: "name" }, { name: "receiver", type: "name" }, { name: "stake_net_quantity", type: "asset" }, { name: "stake_cpu_quantity", type: "asset" }, { name: "transfer", type: "bool" }] },
  ],
  actions: ["newaccount", "buyrambytes", "delegatebw"].map((name) => ({ name, type: name, ricardian_contract: "" })),
});

const answers = {
  pack({ header, actions, chain_id }) {
    const transaction = Transaction.from({ ...header, actions }, abi);
    return {
      packed: Serializer.encode({ object: transaction }).hexString,
      id: transaction.id.hexString,
      digest: transaction.signingDigest(Checksum256.from(chain_id)).hexString,
    };
  },
  unpack({ packed }) {
    const transaction = Serializer.decode({ data: packed, type: Transaction });
    return {
      ...Serializer.objectify(transaction),
      actions: transaction.actions.map((action) => ({
        ...Serializer.objectify(action),
        data: Serializer.objectify(action.decodeData(abi)),
      })),
    };
  },
  recover({ signature, digest }) {
    const given = Signature.from(signature);
    const key = given.recoverDigest(digest);
    return { key: String(key), good: given.verifyDigest(digest, key) };
  },
  keys({ secret }) {
    const key = PrivateKey.from(secret);
    return { wif: key.toWif(), text: String(key), public: String(key.toPublic()), legacy: key.toPublic().toLegacyString("GLS") };
  },
  parse({ key }) {
    return { key: String(PublicKey.from(key)) };
  },
};

require("readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { ask, ...question } = JSON.parse(line);
    try {
      console.log(JSON.stringify(answers[ask](question)));
    } catch (error) {
      console.log(JSON.stringify({ error: String(error) }));
    }
  });
