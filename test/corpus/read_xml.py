#!/usr/bin/env python3
"""A second reading of libvirt's XML, to hold the exporter's against.

Written from libvirt's docs/formatdomain.rst and docs/formatstorage.rst with xml.etree (expat), and
with nothing of the exporter's: what both read alike, two people understood alike. Its words are
those of the readings beside the XML files; sizes are bytes, rates are per second, and what the XML
does not say is left out.

    read_xml.py FILE...     one line of JSON for each file: {"file", "reading"} or {"file", "error"}
    read_xml.py -           the same for the names of files on standard input, one on a line
"""

import json
import re
import sys
import xml.etree.ElementTree as ET

OVIRT = "{http://ovirt.org/vm/1.0}"
OPENNEBULA = "{http://opennebula.org/xmlns/libvirt/1.0}"
KUBEVIRT = "{http://kubevirt.io}"
LIBOSINFO = "{http://libosinfo.org/xmlns/libvirt/domain/1.0}"
NOVA = re.compile(r"\{http://openstack\.org/xmlns/libvirt/nova/[^}]*\}instance$")

# docs/formatdomain.rst, "Memory Allocation"; virScaleInteger takes them in any case.
UNITS = {"b": 1, "byte": 1, "bytes": 1}
for power, letter in enumerate("kmgtpe", start=1):
    UNITS[letter] = UNITS[letter + "ib"] = 1024**power
    UNITS[letter + "b"] = 1000**power

# include/libvirt/libvirt-domain.h: VIR_DOMAIN_MEMORY_PARAM_UNLIMITED, in KiB.
UNLIMITED = (2**53 - 1) * 1024


class Unreadable(Exception):
    """A value that is not what the documentation says may stand there."""


def whole(text, below_zero=False):
    """A whole number from its text; None for None."""
    if text is None:
        return None
    text = text.strip()
    if not re.fullmatch(r"-?[0-9]+" if below_zero else r"[0-9]+", text):
        raise Unreadable(f"not a number: {text!r}")
    return int(text)


def or_none(read, *arguments, **more):
    try:
        return read(*arguments, **more)
    except Unreadable:
        return None


def scaled(text, unit):
    """A size in bytes. Without a unit it is in KiB."""
    number = whole(text)
    if number is None:
        return None
    factor = UNITS.get("kib" if unit is None else unit.lower())
    if factor is None:
        raise Unreadable(f"unit {unit!r}")
    return number * factor


def text_of(element):
    """The text of an element as it stands there; None if there is no such element, or no text."""
    return None if element is None or not element.text else element.text


def text_at(element, path):
    return None if element is None else text_of(element.find(path))


def get(element, attribute):
    return None if element is None else element.get(attribute)


def number_at(element, path):
    return or_none(whole, text_at(element, path))


def size_at(element, path):
    """The size that an element holds, in bytes."""
    found = None if element is None else element.find(path)
    return None if found is None else or_none(scaled, found.text or "", found.get("unit"))


def limit_at(element, path):
    """A limit, of which 0 and what is below mean that there is none."""
    try:
        number = whole(text_at(element, path), below_zero=True)
    except Unreadable:
        return None
    return number if number is not None and number > 0 else None


def members(text):
    """`0-3,^2,8` as a sorted list; each part takes effect on what stands before it."""
    if text is None:
        return None
    chosen = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\^?)\s*([0-9]+)(?:-([0-9]+))?\s*", part)
        if match is None:
            raise Unreadable(f"not a set of numbers: {text!r}")
        low = int(match.group(2))
        numbers = range(low, int(match.group(3) or low) + 1)
        if match.group(1):
            chosen.difference_update(numbers)
        else:
            chosen.update(numbers)
    return sorted(chosen)


def members_in(element, attribute):
    text = get(element, attribute)
    return or_none(members, text) if text else None


def is_yes(element, attribute):
    return get(element, attribute) in ("yes", "on")


def there(element, path):
    return element is not None and element.find(path) is not None


def every(element, path):
    return [] if element is None else element.findall(path)


def readable(elements, read):
    return [one for one in (or_none(read, element) for element in elements) if one is not None]


def all_or_none(elements, read):
    try:
        return [read(element, place) for place, element in enumerate(elements)]
    except Unreadable:
        return []


def need(value):
    if value is None:
        raise Unreadable("something that has to be there is not")
    return value


# ---- memory


def memory(domain):
    most = size_at(domain, "memory")
    plug = size_at(domain, "maxMemory")
    current = size_at(domain, "currentMemory") if there(domain, "currentMemory") else most
    return {
        "maximumBytes": most,
        "currentBytes": current,
        "minimumBytes": minimum(domain, current),
        "hotplug": None
        if plug is None
        else {"maximumBytes": plug, "slots": or_none(whole, get(domain.find("maxMemory"), "slots"))},
        "backing": memory_backing(domain.find("memoryBacking")),
        "hardLimitBytes": memory_limit(domain, "memtune/hard_limit"),
        "softLimitBytes": memory_limit(domain, "memtune/soft_limit"),
        "swapHardLimitBytes": memory_limit(domain, "memtune/swap_hard_limit"),
        "devices": readable(domain.findall("devices/memory"), memory_device),
    }


def minimum(domain, current):
    if there(domain, "memtune/min_guarantee"):
        return size_at(domain, "memtune/min_guarantee")
    for name in ("minGuaranteedMemoryMb", "memGuaranteedSize"):
        mebibytes = text_at(domain, f"metadata/{OVIRT}vm/{OVIRT}{name}")
        if mebibytes is not None:
            return or_none(whole, mebibytes) and whole(mebibytes) * 2**20
    said = owner(domain)
    return current if said is not None and said["manager"] == "cloudstack" else None


def memory_limit(domain, path):
    size = size_at(domain, path)
    return None if size is None or size >= UNLIMITED else size


def memory_backing(backing):
    pages = None
    if there(backing, "hugepages"):
        pages = readable(
            backing.findall("hugepages/page"),
            lambda page: {
                "pageBytes": need(scaled(page.get("size"), page.get("unit"))),
                "guestNodes": members_in(page, "nodeset"),
            },
        )
    return {
        "hugepages": pages,
        "noSharePages": there(backing, "nosharepages"),
        "locked": there(backing, "locked"),
        "source": None if backing is None else get(backing.find("source"), "type"),
        "access": None if backing is None else get(backing.find("access"), "mode"),
        "allocation": None if backing is None else get(backing.find("allocation"), "mode"),
        "discard": there(backing, "discard"),
    }


def memory_device(device):
    target = need(device.find("target"))
    return {
        "model": need(device.get("model")),
        "sizeBytes": need(size_at(target, "size")),
        "requestedBytes": size_at(target, "requested"),
        "currentBytes": size_at(target, "current"),
        "blockBytes": size_at(target, "block"),
        "node": number_at(target, "node"),
        "pageBytes": size_at(device, "source/pagesize"),
        "hostNodes": members(text_at(device, "source/nodemask")),
        "path": text_at(device, "source/path"),
        "readOnly": there(target, "readonly"),
        "access": device.get("access"),
        "alias": get(device.find("alias"), "name"),
    }


def balloon(device):
    model = get(device, "model")
    if model is None or model == "none":
        return None
    return {
        "model": model,
        "statsPeriodSeconds": or_none(whole, get(device.find("stats"), "period")) or None,
        "freePageReporting": is_yes(device, "freePageReporting"),
        "autodeflate": is_yes(device, "autodeflate"),
    }


# ---- CPUs


def vcpus(domain):
    vcpu = domain.find("vcpu")
    maximum = 1 if vcpu is None else or_none(whole, vcpu.text or "")
    current = get(vcpu, "current")
    return {
        "maximum": maximum,
        "current": maximum if current is None else or_none(whole, current),
        "placement": get(vcpu, "placement"),
        "cpus": members_in(vcpu, "cpuset"),
        "list": all_or_none(
            domain.findall("vcpus/vcpu"),
            lambda one, _: {
                "id": need(whole(one.get("id"))),
                "enabled": is_yes(one, "enabled"),
                "hotpluggable": is_yes(one, "hotpluggable"),
            },
        ),
    }


def cpu_model(cpu):
    topology = None if cpu is None else cpu.find("topology")
    return {
        "mode": get(cpu, "mode"),
        "model": text_at(cpu, "model"),
        "topology": None
        if topology is None
        else or_none(
            lambda: {
                part: whole(topology.get(part, "1"))
                for part in ("sockets", "dies", "clusters", "cores", "threads")
            }
        ),
    }


def cpu_tuning(tune):
    def bandwidth(prefix):
        return {
            "periodMicroseconds": limit_at(tune, prefix + "period"),
            "quotaMicroseconds": limit_at(tune, prefix + "quota"),
        }

    def pins(kind, number):
        return readable(
            every(tune, kind + "pin"),
            lambda pin: {number: need(whole(pin.get(number))), "cpus": members(need(pin.get("cpuset")))},
        )

    return {
        "shares": number_at(tune, "shares"),
        "vcpu": bandwidth(""),
        "global": bandwidth("global_"),
        "emulator": bandwidth("emulator_"),
        "iothread": bandwidth("iothread_"),
        "vcpuPins": pins("vcpu", "vcpu"),
        "emulatorPin": None if tune is None else members_in(tune.find("emulatorpin"), "cpuset"),
        "iothreadPins": pins("iothread", "iothread"),
    }


def numa(domain):
    def policy(element):
        return {"mode": element.get("mode"), "hostNodes": members_in(element, "nodeset")}

    whole_guest = domain.find("numatune/memory")
    return {
        "memory": None if whole_guest is None else policy(whole_guest),
        "cells": all_or_none(
            domain.findall("numatune/memnode"),
            lambda node, _: {"cell": need(whole(node.get("cellid"))), **policy(node)},
        ),
        "guestCells": all_or_none(
            domain.findall("cpu/numa/cell"),
            lambda cell, place: {
                "id": whole(cell.get("id", str(place))),
                "vcpus": members_in(cell, "cpus"),
                "memoryBytes": need(scaled(cell.get("memory"), cell.get("unit"))),
                "access": cell.get("memAccess"),
                "discard": is_yes(cell, "discard"),
            },
        ),
    }


# ---- disks


def source_of(kind, source, encryption_beside=None):
    """A <source> by the type of the element around it; None for an empty drive."""
    if source is None:
        return None
    if kind in ("file", "block", "dir"):
        path = source.get({"file": "file", "block": "dev", "dir": "dir"}[kind])
        if not path:
            return None
        encryption = source.find("encryption")
        if encryption is None:
            encryption = encryption_beside
        part = source.find("slices/slice[@type='storage']")
        store = source.find("dataStore")
        return {
            "kind": kind,
            "path": path,
            "slice": None
            if part is None
            else {"offsetBytes": whole(part.get("offset")), "sizeBytes": whole(part.get("size"))},
            "encryption": get(encryption, "format"),
            "dataStore": None if store is None else image(store),
        }
    if kind == "network":
        return {
            "kind": "network",
            "protocol": need(source.get("protocol")),
            "name": source.get("name"),
            "hosts": [
                {"name": host.get("name", host.get("socket")), "port": host.get("port")}
                for host in source.findall("host")
            ],
        }
    if kind == "volume":
        return {"kind": "volume", "pool": need(source.get("pool")), "volume": need(source.get("volume"))}
    if kind == "nvme":
        return {
            "kind": "nvme",
            "address": pci(source.find("address")),
            "namespace": source.get("namespace"),
        }
    return {"kind": "other", "path": source.get("path", source.get("dev"))}


def pci(address):
    """As the kernel writes it. strtoul with base 0, as libvirt reads it: 0x is hexadecimal."""

    def part(name):
        try:
            return int(get(address, name) or "0", 0)
        except ValueError as error:
            raise Unreadable(str(error)) from error

    return f"{part('domain'):04x}:{part('bus'):02x}:{part('slot'):02x}.{part('function'):x}"


def image(element):
    kind = element.get("type", "file")
    return {
        "type": kind,
        "format": get(element.find("format"), "type"),
        "source": source_of(kind, element.find("source")),
    }


def chain(element):
    """The images below, and whether an empty <backingStore/> says that these are all."""
    below = element.find("backingStore")
    if below is None:
        return [], False
    if below.get("type") is None:
        return [], True
    images, ends = chain(below)
    return [image(below), *images], ends


def mirror(element):
    if element is None:
        return None
    below, ends = chain(element)
    target = image(element)
    if target["source"] is None and element.get("file"):
        target["source"] = {"kind": "file", "path": element.get("file")}
    if target["format"] is None:
        target["format"] = element.get("format")
    return {**target, "job": element.get("job", "copy"), "backing": below, "backingComplete": ends}


IO_LIMITS = {
    f"{direction}{words}{suffix}": f"{direction}_{kind}_sec{ending}"
    for direction in ("total", "read", "write")
    for words, kind in (("BytesPerSecond", "bytes"), ("RequestsPerSecond", "iops"))
    for suffix, ending in (("", ""), ("Max", "_max"))
}


def io_limits(element):
    limits = {word: limit_at(element, name) for word, name in IO_LIMITS.items()}
    return {**limits, "group": text_at(element, "group_name")}


def disk(element):
    kind = element.get("type", "file")
    target = need(element.find("target"))
    driver = element.find("driver")
    below, ends = chain(element)
    tune = element.find("iotune")
    return {
        "type": kind,
        "device": element.get("device", "disk"),
        "target": need(target.get("dev")),
        "bus": target.get("bus"),
        "source": source_of(kind, element.find("source"), element.find("encryption")),
        "driver": {
            "name": get(driver, "name"),
            "type": get(driver, "type"),
            "cache": get(driver, "cache"),
            "discard": get(driver, "discard"),
            "detectZeroes": get(driver, "detect_zeroes"),
            "io": get(driver, "io"),
            "iothread": or_none(whole, get(driver, "iothread")),
            "errorPolicy": get(driver, "error_policy"),
            "readErrorPolicy": get(driver, "rerror_policy"),
        },
        "readOnly": there(element, "readonly"),
        "shareable": there(element, "shareable"),
        "transient": there(element, "transient"),
        "serial": text_at(element, "serial"),
        "alias": get(element.find("alias"), "name"),
        "backing": below,
        "backingComplete": ends,
        "mirror": mirror(element.find("mirror")),
        "iotune": None if tune is None else io_limits(tune),
        "throttleFilters": [
            need(one.get("group")) for one in element.findall("throttlefilters/throttlefilter")
        ],
    }


# ---- interfaces and the rest


def bandwidth(element):
    """Kilobytes a second are of 1000 bytes, a burst is in kibibytes; 0 is no limit."""
    if element is None:
        return None

    def times(attribute, factor):
        number = or_none(whole, element.get(attribute))
        return number * factor if number else None

    return {
        "averageBytesPerSecond": times("average", 1000),
        "peakBytesPerSecond": times("peak", 1000),
        "burstBytes": times("burst", 1024),
        "floorBytesPerSecond": times("floor", 1000),
    }


def interface(element):
    source = element.find("source")
    driver = element.find("driver")
    return {
        "type": need(element.get("type")),
        "mac": get(element.find("mac"), "address"),
        "target": get(element.find("target"), "dev"),
        "source": {
            word: get(source, attribute)
            for word, attribute in (
                ("bridge", "bridge"),
                ("network", "network"),
                ("portgroup", "portgroup"),
                ("device", "dev"),
                ("mode", "mode"),
                ("path", "path"),
            )
        },
        "virtualPort": get(element.find("virtualport"), "type"),
        "model": get(element.find("model"), "type"),
        "driver": get(driver, "name"),
        "queues": or_none(whole, get(driver, "queues")),
        "mtuBytes": or_none(whole, get(element.find("mtu"), "size")),
        "linkUp": get(element.find("link"), "state") != "down",
        "inbound": bandwidth(element.find("bandwidth/inbound")),
        "outbound": bandwidth(element.find("bandwidth/outbound")),
        "alias": get(element.find("alias"), "name"),
    }


def owner_uid(domain):
    match = re.match(r"\+?([0-9]+):", text_at(domain, "seclabel[@model='dac']/label") or "")
    return None if match is None else int(match.group(1))


def nova(domain):
    for instance in domain.findall("metadata/*"):
        if not NOVA.match(instance.tag):
            continue
        space = instance.tag[: instance.tag.index("}") + 1]

        def owner(role):
            found = instance.find(f"{space}owner/{space}{role}")
            return None if found is None else {"name": found.text or "", "id": found.get("uuid")}

        return {
            "instanceName": text_at(instance, f"{space}name"),
            "flavor": get(instance.find(f"{space}flavor"), "name"),
            "user": owner("user"),
            "project": owner("project"),
        }
    return None


def owner(domain):
    """Whose guest it is: the first of these managers that says so."""
    name = text_at(domain, "name") or ""
    system = get(domain.find(f"metadata/{LIBOSINFO}libosinfo/{LIBOSINFO}os"), "id")
    said = None
    nova_of = nova(domain)
    one = domain.find(f"metadata/{OPENNEBULA}vm")
    cloud = re.fullmatch(r"(?:i-([0-9]+)|[rsv])-[0-9]+-VM", name)
    if nova_of is not None:
        project = (nova_of["project"] or {}).get("name")
        space = "{*}"
        root = domain.find(f"metadata/{space}instance/{space}root")
        said = {
            "manager": "openstack",
            "tenant": project,
            "project": project,
            "user": (nova_of["user"] or {}).get("name"),
            "flavor": nova_of["flavor"],
            "image": get(root, "uuid") if get(root, "type") == "image" else None,
        }
    elif there(domain, f"metadata/{OVIRT}vm"):
        said = {"manager": "ovirt"}
    elif one is not None:
        said = {
            "manager": "opennebula",
            "tenant": text_at(one, f"{OPENNEBULA}gname"),
            "user": text_at(one, f"{OPENNEBULA}uname"),
        }
    elif there(domain, f"metadata/{KUBEVIRT}kubevirt"):
        parts = name.split("_")
        space = parts[0] if len(parts) == 2 else None
        said = {"manager": "kubevirt", "tenant": space, "namespace": space}
    elif cloud is not None:
        said = {"manager": "cloudstack", "tenant": cloud.group(1)}
    elif system is not None:
        said = {"manager": "libosinfo"}
    if said is not None and said.get("image") is None:
        said["image"] = system
    return said


def domain_reading(domain):
    os_type = domain.find("os/type")
    return {
        "name": need(text_at(domain, "name")),
        "uuid": need(text_at(domain, "uuid")).lower(),
        "type": need(domain.get("type")),
        "os": {
            "type": text_of(os_type),
            "arch": get(os_type, "arch"),
            "machine": get(os_type, "machine"),
        },
        "memory": memory(domain),
        "vcpu": vcpus(domain),
        "cpu": cpu_model(domain.find("cpu")),
        "cputune": cpu_tuning(domain.find("cputune")),
        "iothreads": number_at(domain, "iothreads") if there(domain, "iothreads") else 0,
        "numa": numa(domain),
        "blkio": {
            "weight": number_at(domain, "blkiotune/weight"),
            "devices": readable(
                domain.findall("blkiotune/device"),
                lambda one: {"path": need(text_at(one, "path")), "weight": number_at(one, "weight")},
            ),
        },
        "balloon": balloon(domain.find("devices/memballoon")),
        "disks": readable(domain.findall("devices/disk"), disk),
        "throttleGroups": [io_limits(one) for one in domain.findall("throttlegroups/throttlegroup")],
        "interfaces": readable(domain.findall("devices/interface"), interface),
        "hostdevs": readable(
            domain.findall("devices/hostdev"),
            lambda one: {
                "type": need(one.get("type")),
                "mode": one.get("mode", "subsystem"),
                "model": one.get("model"),
                "alias": get(one.find("alias"), "name"),
            },
        ),
        "launchSecurity": get(domain.find("launchSecurity"), "type"),
        "ownerUid": owner_uid(domain),
        "partition": text_at(domain, "resource/partition"),
        "nova": nova(domain),
        "owner": owner(domain),
    }


def pool_reading(pool):
    source = pool.find("source")
    return {
        "type": need(pool.get("type")),
        "name": need(text_at(pool, "name")),
        "uuid": text_at(pool, "uuid"),
        "targetPath": text_at(pool, "target/path"),
        "source": {
            "name": text_at(source, "name"),
            "hosts": [
                {"name": host.get("name"), "port": or_none(whole, host.get("port"))}
                for host in every(source, "host")
                if host.get("name") is not None
            ],
            "directory": None if source is None else get(source.find("dir"), "path"),
            "devices": [
                device.get("path") for device in every(source, "device") if device.get("path")
            ],
            "format": None if source is None else get(source.find("format"), "type"),
            "adapter": None if source is None else get(source.find("adapter"), "name"),
        },
    }


READERS = {"domain": domain_reading, "pool": pool_reading}


def without_none(value):
    if isinstance(value, dict):
        return {key: without_none(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [without_none(one) for one in value]
    return value


def read(path):
    try:
        root = ET.parse(path).getroot()
        reader = READERS.get(root.tag)
        if reader is None:
            raise Unreadable(f"root element <{root.tag}>")
        return {"file": path, "reading": without_none(reader(root))}
    except (ET.ParseError, Unreadable) as error:
        return {"file": path, "error": str(error)}


if __name__ == "__main__":
    names = sys.argv[1:]
    if names == ["-"]:
        names = sys.stdin.read().splitlines()
    for name in names:
        print(json.dumps(read(name)))
