#ifndef SHAPE_H
#define SHAPE_H

#import <Foundation/Foundation.h>

#ifdef __cplusplus
extern "C" {
#endif
UIKIT_EXTERN NSString *const ShapeKey;
UIKIT_EXTERN double ShapeArea(double w, double h);
NS_INLINE double ShapeDouble(double w) { return 2 * w; }
#ifdef __cplusplus
}
#endif

/*! A shape. */
API_AVAILABLE(ios(13.0), macos(10.15))
@protocol Shape
- (double)area;
@end

CF_EXTERN_C_BEGIN
@interface Square : NSObject <Shape>
- (instancetype)initWithSide:(double)side NS_SWIFT_NAME(init(side:));
@end
CF_EXTERN_C_END

#endif
