
/*
 * Copyright (C) ngx_stream_vod_module authors
 */


/*
 * What publish -m puts into each frame of AVC, and player finds there: a NAL
 * unit of SEI, user_data_unregistered (ITU-T H.264, D.1.7), with the number of
 * the frame and the CLOCK_MONOTONIC time in ns just before it was written.  In
 * hexadecimal digits, so that nothing in it needs an emulation prevention byte.
 *
 *     length of the NAL unit, 4 bytes
 *     06 05 28
 *     UUID, 16 bytes
 *     number, 8 digits
 *     time, 16 digits
 *     80
 */


#ifndef _MARK_H_INCLUDED_
#define _MARK_H_INCLUDED_


#define MARK_UUID      "ngx-media-bench."
#define MARK_UUID_LEN  16
#define MARK_DIGITS    24
#define MARK_HEAD      "\0\0\0\x2c\x06\x05\x28" MARK_UUID
#define MARK_HEAD_LEN  (7 + MARK_UUID_LEN)
#define MARK_LEN       (MARK_HEAD_LEN + MARK_DIGITS + 1)

/* within so many bytes of a message: FLV's header and a delimiter go first */
#define MARK_PREFIX    (5 + 6 + MARK_LEN)


#endif /* _MARK_H_INCLUDED_ */
