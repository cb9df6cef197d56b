/**
 * Constants and struct layouts of Linux on the platforms of ffi/library.ts (both LP64, little endian). Only the
 * epoll event differs: packed on x86-64 (sys/epoll.h).
 */
export const AF_INET = 2
export const AF_INET6 = 10
export const SOCK_DGRAM = 2
export const SOCK_NONBLOCK = 0o4000
export const SOCK_CLOEXEC = 0o2000000

export const SOL_SOCKET = 1
export const SO_SNDBUF = 7
export const SO_RCVBUF = 8
export const SO_REUSEPORT = 15
export const SO_SNDBUFFORCE = 32
export const SO_RCVBUFFORCE = 33
export const SO_ATTACH_REUSEPORT_CBPF = 51
export const SO_MEMINFO = 55
export const IPPROTO_IP = 0
export const IP_TOS = 1
export const IPPROTO_IPV6 = 41
export const IPV6_V6ONLY = 26
export const IPV6_TCLASS = 67
export const SOL_UDP = 17
export const UDP_SEGMENT = 103

export const MSG_DONTWAIT = 0x40

export const EPOLL_CLOEXEC = 0o2000000
export const EPOLL_CTL_ADD = 1
export const EPOLL_CTL_DEL = 2
export const EPOLLIN = 1
export const EFD_NONBLOCK = 0o4000
export const EFD_CLOEXEC = 0o2000000

export const EINTR = 4
export const EIO = 5
export const EAGAIN = 11
export const ENOMEM = 12
export const EINVAL = 22
export const ENOBUFS = 105

/** struct epoll_event { uint32_t events; uint64_t data; }: its octets and where `data` begins. */
export const EPOLL_EVENT: Readonly<Record<string, { readonly octets: number; readonly data: number }>> = {
  x64: { octets: 12, data: 4 },
  arm64: { octets: 16, data: 8 },
}

/** struct iovec { void *base; size_t len; } */
export const IOVEC = { octets: 16, base: 0, length: 8 } as const

/**
 * struct mmsghdr { struct msghdr { void *name; socklen_t namelen; struct iovec *iov; size_t iovlen;
 * void *control; size_t controllen; int flags; } hdr; unsigned int len; }
 */
export const MMSGHDR = { octets: 64, name: 0, nameLength: 8, iov: 16, iovLength: 24, control: 32, controlLength: 40, flags: 48, length: 56 } as const

/** struct cmsghdr { size_t len; int level; int type; } with the uint16_t of UDP_SEGMENT behind it. */
export const SEGMENT_CONTROL = { octets: 24, length: 18, level: 8, type: 12, value: 16 } as const

/** struct sockaddr_in { u16 family; be16 port; be32 address; } and sockaddr_in6 { …; be32 flow; u8 address[16]; u32 scope; } */
export const SOCKADDR = { octets: 28, octets4: 16, family: 0, port: 2, address4: 4, address6: 8, scope6: 24 } as const

/** What SO_MEMINFO gives (linux/sock_diag.h): 32-bit numbers; the last says how many datagrams found no room. */
export const MEMINFO = { octets: 36, drops: 32 } as const

/** struct timespec { time_t sec; long nsec; } */
export const TIMESPEC = { octets: 16, nanoseconds: 8 } as const
