import type { RpcChannel } from './channel.ts';
import { ProtocolError } from './errors.ts';
import {
  eventDefinitions,
  eventMessage,
  eventOfProcedure,
  type DomainEvent,
  type DomainEventType,
  type EventMessage,
} from './events.ts';
import type { CallOptions } from './pending-calls.ts';
import { procedures } from './procedures.ts';
import type { DomainRef } from './structures.ts';
import { decode } from './xdr.ts';

export type DomainEventOf<Type extends DomainEventType> = Extract<
  DomainEvent,
  { readonly type: Type }
>;

/** Events that may be kept while a registration is under way; far more than ever come at once. */
const MAX_UNCLAIMED = 1024;

/** The registered event callbacks of one connection. */
export class EventSubscriptions {
  readonly #channel: RpcChannel;
  readonly #handlers = new Map<number, (event: DomainEvent) => void>();
  /** An event can be in the same packet as the reply that tells its callback id. */
  #registering = 0;
  #unclaimed: EventMessage[] = [];

  constructor(channel: RpcChannel) {
    this.#channel = channel;
    channel.on('event', (procedure, payload) => {
      this.#receive(procedure, payload);
    });
  }

  /** Registers with the daemon; gives the callback id. */
  async add<Type extends DomainEventType>(
    type: Type,
    handler: (event: DomainEventOf<Type>) => void,
    domain: DomainRef | undefined,
    options: CallOptions,
  ): Promise<number> {
    this.#registering++;
    try {
      const { eventId } = eventDefinitions[type];
      const args = { eventId, domain };
      const callbackId = await this.#channel.call(procedures.eventRegister, args, options);
      this.#handlers.set(callbackId, (event) => {
        if (isOfType(event, type)) handler(event);
      });
      for (const message of this.#unclaimed) {
        if (message.callbackId === callbackId) this.#deliver(message);
      }
      return callbackId;
    } finally {
      this.#registering--;
      if (this.#registering === 0) this.#unclaimed = [];
    }
  }

  /** Unregisters. Events the daemon had already sent are dropped. */
  async remove(callbackId: number, options: CallOptions): Promise<void> {
    if (!this.#handlers.delete(callbackId)) return;
    await this.#channel.call(procedures.eventDeregister, callbackId, options);
  }

  #receive(procedure: number, payload: Buffer): void {
    const definition = eventOfProcedure(procedure);
    if (definition === undefined) throw new ProtocolError(`unknown event procedure ${procedure}`);
    const message = decode(eventMessage(definition), payload);
    if (this.#handlers.has(message.callbackId)) this.#deliver(message);
    else if (this.#registering > 0 && this.#unclaimed.length < MAX_UNCLAIMED) {
      this.#unclaimed.push(message);
    }
  }

  #deliver({ callbackId, event }: EventMessage): void {
    this.#handlers.get(callbackId)?.(event);
  }
}

function isOfType<Type extends DomainEventType>(
  event: DomainEvent,
  type: Type,
): event is DomainEventOf<Type> {
  return event.type === type;
}
