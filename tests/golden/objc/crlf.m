#import "a.h"

// Begrüßung.
@interface Größe : NSObject
- (void)setzeHöhe:(int)h
          breite:(int)b;
@end

@implementation Größe
- (void)setzeHöhe:(int)h
          breite:(int)b {
    [self a:1
          b:2];
